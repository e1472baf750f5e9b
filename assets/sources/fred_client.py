"""FRED through fredapi, hardened at its one seam: every request it or we make passes `_fetch`.

Belongs here: FRED's protocol, its limits of rows and vintages. Does not belong here: what to ask for on which
night (`fred.py`), sockets (`fred_transport.py`), arrays (`fred_vintages.py`).

fredapi 0.5.2 keeps all its requests in one private method (`Fred.__fetch_data`). Overriding it by its mangled
name gives fredapi's own methods our pace, patience, errors and secrecy too; a test fails when it moves.
"""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from fredapi import Fred

from assets.compute.calendar import Days
from assets.sources.fred_errors import ApiKey, FredError, Garbled, TooManyVintages, failure_of
from assets.sources.fred_transport import Answer, Limits, NoAnswer, checked_root, parsed, send
from assets.sources.fred_vintages import (
    FIRST_DAY,
    LAST_DAY,
    Periods,
    join,
    parse_dates,
    parse_observations,
    stitch,
    windows,
)
from assets.sources.pacing import Pacer, Patience, Transient, seconds_asked

ROWS_PER_ANSWER = 100_000
DATES_PER_ANSWER = 10_000
VINTAGES_PER_ANSWER = 1900  # FRED allows 2,000
REQUESTS_PER_SECOND = 1.8  # FRED allows two, counted each second
_SERIES_ID = re.compile(r"[A-Z0-9_.]{1,25}")
_READ_AGAIN = 2  # a series updated between two pages of an answer is read again from its first


@dataclass(frozen=True)
class SeriesInfo:
    """What FRED says of a series today, in its own words. `last_updated` is aware, None when unreadable."""

    title: str
    units: str
    frequency: str
    last_updated: dt.datetime | None


@dataclass(frozen=True)
class Release:
    """The publication a series comes out with."""

    release_id: int
    name: str


class FredClient(Fred):
    """One FRED account. Safe to hand around: neither `repr` nor `vars` shows the key."""

    def __init__(
        self,
        api_key: str | None,
        root_url: str | None = None,
        *,
        requests_per_second: float = REQUESTS_PER_SECOND,
        patience: Patience | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Raises KeyRefused for no or an impossible key, ValueError for an address that would expose it.

        fredapi's own constructor is not called: it keeps the key in the open and sets proxies for the whole
        process.
        """
        self._key = ApiKey(api_key)
        self.root_url = checked_root(root_url or Fred.root_url)
        self._patience = patience or Patience()
        self._pacer = Pacer(requests_per_second, self._patience.clock)
        self._limits = limits or Limits()
        self.requests = 0

    def series_info(self, series_id: str) -> SeriesInfo:
        """What FRED says of a series today. Raises SeriesNotFound."""
        found = self._element("series", "series", series_id=series_id)
        return SeriesInfo(
            title=found.get("title", ""),
            units=found.get("units", ""),
            frequency=found.get("frequency", ""),
            last_updated=_moment(found.get("last_updated")),
        )

    def probe(self, series_id: str) -> None:
        """One short question, without the patience of a fetch."""
        self._fetch(self._url("series", series_id=series_id), self._patience.brief())

    def observations(self, series_id: str, since: str | None = None) -> Periods:
        """The figures of today, from an observation date on; their periods say nothing of vintages."""
        asked = {} if since is None else {"observation_start": since}
        return self._observations(series_id, asked)

    def all_releases(self, series_id: str, since: str = FIRST_DAY) -> Periods:
        """Every vintage since a day (periods that began earlier begin on it), by observation, then start.

        Raises NotInAlfred for a series FRED keeps without vintages.
        """
        try:
            return stitch([self._observations(series_id, _real_time(since, LAST_DAY))])
        except TooManyVintages:
            pass
        cut = windows(self.vintage_dates(series_id), since, VINTAGES_PER_ANSWER)
        return stitch([self._observations(series_id, _real_time(first, last)) for first, last in cut])

    def vintage_dates(self, series_id: str) -> Days:
        """Every day on which a figure of the series appeared or changed."""
        asked = {"series_id": series_id, **_real_time(FIRST_DAY, LAST_DAY)}
        found = self._pages("series/vintagedates", "vintage_date", DATES_PER_ANSWER, **asked)
        return parse_dates([entry.text or "" for root in found for entry in root.findall("vintage_date")])

    def release_of(self, series_id: str) -> Release:
        """The publication a series comes out with."""
        found = self._element("series/release", "release", series_id=series_id)
        text = found.get("id", "")
        if not text.isdigit():
            raise Garbled(f"{self.root_url}/series/release: {text[:20]!r} is no release id")
        return Release(int(text), found.get("name", ""))

    def release_dates(self, release_id: int, planned: bool) -> Days:
        """Every day a release came out with figures, oldest first; with `planned`, every day of its calendar."""
        asked = {"release_id": str(int(release_id)), **_real_time(FIRST_DAY, LAST_DAY)}
        if planned:  # days without figures too: those to come, and those that were missed
            asked["include_release_dates_with_no_data"] = "true"
        found = self._pages("release/dates", "release_date", DATES_PER_ANSWER, **asked)
        return parse_dates([entry.text or "" for root in found for entry in root.findall("release_date")])

    def _observations(self, series_id: str, asked: dict[str, str]) -> Periods:
        asked = {"series_id": series_id, **asked}
        for attempt in range(_READ_AGAIN):
            try:
                found = self._pages("series/observations", "observation", ROWS_PER_ANSWER, **asked)
                return join([parse_observations(root) for root in found])
            except _Moved:
                if attempt + 1 == _READ_AGAIN:
                    raise
        raise AssertionError("unreachable")

    def _pages(self, path: str, tag: str, size: int, **asked: str) -> Iterator[ET.Element]:
        """Answers of `size` elements each until what FRED counts has come. Raises Garbled when it does not."""
        came, count = 0, None
        while count is None or came < count:
            url = self._url(path, **asked, sort_order="asc", limit=str(size), offset=str(came))
            root = self._fetch(url)
            stated = root.get("count", "")
            if not stated.isdigit():
                raise Garbled(f"{url}: the answer does not say how many {tag}s there are")
            if count is not None and int(stated) != count:
                raise _Moved(f"{url}: the series changed while it was read")
            count, here = int(stated), len(root.findall(tag))
            if here == 0 and came < count:
                raise Garbled(f"{url}: {came} of {count} {tag}s came")
            came += here
            yield root

    def _element(self, path: str, tag: str, **asked: str) -> ET.Element:
        url = self._url(path, **asked)
        found = self._fetch(url).find(tag)
        if found is None:
            raise Garbled(f"{url}: no <{tag}> in the answer")
        return found

    def _url(self, path: str, **asked: str) -> str:
        """Address without the key. Raises FredError for a series id that is none."""
        series_id = asked.get("series_id", "A")
        if not _SERIES_ID.fullmatch(series_id):
            raise FredError(f"{series_id[:40]!r} is no FRED series id")
        return f"{self.root_url}/{path}?{urlencode(asked)}"

    def _fetch(self, url: str, patience: Patience | None = None) -> ET.Element:
        """The answer to an address (without key): paced, retried, typed failures. fredapi's one seam."""
        if not url.startswith(f"{self.root_url}/"):
            raise FredError("not an address of FRED")
        return (patience or self._patience).keep_trying(lambda: self._once(url))

    # fredapi calls `self.__fetch_data` inside its class, which Python spells like this
    _Fred__fetch_data = _fetch

    def _once(self, url: str) -> ET.Element:
        """One request. What saw the key has returned before anything is raised here."""
        self._pacer.wait()
        self.requests += 1
        outcome = send(url, self._key, self._limits)
        failure: Exception | None = None
        root: ET.Element | None = None
        shown = self._key.hidden_in(url)
        if isinstance(outcome, NoAnswer):
            failure = (FredError if outcome.is_permanent else Transient)(f"{shown}: {outcome.reason}")
        else:
            root, failure = self._read(outcome, shown)
        if failure is not None or root is None:
            raise failure or Garbled(f"{shown}: an empty answer")
        return root

    def _read(self, answer: Answer, shown: str) -> tuple[ET.Element | None, Exception | None]:
        root = parsed(answer.body)
        message = root.get("message", "") if root is not None and root.tag == "error" else None
        if answer.status != 200 or message is not None:
            code = answer.status if answer.status != 200 else _code(root)
            masked = None if message is None else self._key.hidden_in(message)
            return None, failure_of(code, masked, shown, seconds_asked(answer.retry_after))
        if root is None:
            is_empty = not answer.body.strip()
            what = "an empty answer" if is_empty else "the answer is no complete XML"
            return None, Garbled(f"{shown}: {what}", is_empty)
        return root, None


class _Moved(Garbled):
    """The number of elements changed between two pages."""


def _code(root: ET.Element | None) -> int:
    text = root.get("code", "") if root is not None else ""
    return int(text) if text.isdigit() else 400


def _moment(text: str | None) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.astimezone(dt.UTC) if moment.tzinfo is not None else None


def _real_time(first: str, last: str) -> dict[str, str]:
    return {"realtime_start": first, "realtime_end": last}
