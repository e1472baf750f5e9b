"""FRED through fredapi: its methods, its address, and every request through our HTTP client.

fredapi 0.5.2 sends all its requests from one private method (`Fred.__fetch_data`), without timeout, retry or pace, and
with the key in its errors. This class overrides that method, by its mangled name, with `_fetch`: the one private name
of fredapi that is relied on. A test fails when fredapi moves it.

fredapi's own methods do the job for what a series is (`get_series_info`), and all others work through the same
override. Figures, vintages and release dates are asked for here: fredapi stops at the first page of an answer (100,000
rows, 10,000 dates) without an error, fails above 2,000 vintages, drops `realtime_end`, and has no release dates.
"""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from fredapi import Fred

from assets.compute.calendar import Days
from assets.progress import NowAndThen
from assets.sources.fred_errors import (
    ApiKey,
    FredError,
    Garbled,
    KeyDoubted,
    KeyRefused,
    TooManyVintages,
    failure_of,
)
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
from assets.sources.http import Http, Limits, checked_address
from assets.sources.pacing import NothingListens, Pacer, Patience, Permanent, Transient

ROWS_PER_ANSWER = 100_000
DATES_PER_ANSWER = 10_000
VINTAGES_PER_ANSWER = 1900  # FRED allows 2,000
REQUESTS_PER_SECOND = 1.8  # FRED allows two, counted each second
LIMITS = Limits(silence=30.0, whole=120.0, size=128 * 1024 * 1024)
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
        # redirects are not followed: they would carry the key away
        self._http = Http(limits or LIMITS, sign=self._key.add_to)
        self._is_accepted = False
        self._kept: dict[str, dict[str, _Pages]] = {}  # by series, then by what was asked
        self._last_updated: dict[str, str] = {}
        self._headway = NowAndThen(self._patience.clock.monotonic)

    @property
    def requests(self) -> int:
        """Requests made so far, repeated ones included."""
        return self._http.requests

    def series_info(self, series_id: str) -> SeriesInfo:
        """What FRED says of a series today. Raises SeriesNotFound."""
        try:
            found = self.get_series_info(_checked_id(series_id))
        except ValueError:  # fredapi's, for an answer without elements
            found = {}
        if found.get("id") != series_id:
            raise Garbled(f"{self.root_url}/series?series_id={series_id}: no <series> in the answer")
        if self._last_updated.get(series_id) != found.get("last_updated", ""):
            self._kept.pop(series_id, None)  # of the series as it was before
            self._last_updated[series_id] = found.get("last_updated", "")
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
        found = self._observations(series_id, asked)
        self._kept.pop(series_id, None)
        return found

    def all_releases(self, series_id: str, since: str = FIRST_DAY) -> Periods:
        """Every vintage since a day (periods that began earlier begin on it), by observation, then start.

        Raises NotInAlfred for a series FRED keeps without vintages. After another failure the pages that came are
        kept: the next call asks for the others only.
        """
        try:
            found = stitch([self._observations(series_id, _real_time(since, LAST_DAY))])
        except TooManyVintages:
            cut = windows(self.vintage_dates(series_id), since, VINTAGES_PER_ANSWER)
            found = stitch([self._observations(series_id, _real_time(first, last)) for first, last in cut])
        self._kept.pop(series_id, None)
        return found

    def vintage_dates(self, series_id: str) -> Days:
        """Every day on which a figure of the series appeared or changed."""
        asked = {"series_id": series_id, **_real_time(FIRST_DAY, LAST_DAY)}
        found = self._pages("series/vintagedates", "vintage_date", DATES_PER_ANSWER, asked)
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
        found = self._pages("release/dates", "release_date", DATES_PER_ANSWER, asked)
        return parse_dates([entry.text or "" for root in found for entry in root.findall("release_date")])

    def _observations(self, series_id: str, asked: dict[str, str]) -> Periods:
        path, whole = "series/observations", {"series_id": series_id, **asked}
        kept = self._kept.setdefault(series_id, {})
        for attempt in range(_READ_AGAIN):
            pages = kept.setdefault(urlencode(asked), _Pages())
            try:
                for root in self._pages(path, "observation", ROWS_PER_ANSWER, whole, pages.progress):
                    pages.parts.append(parse_observations(root))
                return join(pages.parts)
            except _Moved:
                del kept[urlencode(asked)]
                if attempt + 1 == _READ_AGAIN:
                    raise
        raise AssertionError("unreachable")

    def _pages(
        self, path: str, tag: str, size: int, asked: dict[str, str], done: _Came | None = None
    ) -> Iterator[ET.Element]:
        """Answers of `size` elements each until what FRED counts has come, from where `done` says it stopped.

        Raises Garbled when fewer come.
        """
        done = done or _Came()
        while done.count is None or done.came < done.count:
            came, count = done.came, done.count
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
            yield root
            done.came, done.count = came + here, count
            self._tell(asked, done, size)

    def _tell(self, asked: dict[str, str], done: _Came, size: int) -> None:
        """How far a long answer is."""
        what, of = asked.get("series_id", "release dates"), -(-(done.count or 1) // size)
        if of > 1:
            self._headway.say(
                lambda: f"FRED: {what}, page {-(-done.came // size)} of {of}, {self.requests} requests so far"
            )

    def _element(self, path: str, tag: str, **asked: str) -> ET.Element:
        url = self._url(path, **asked)
        found = self._fetch(url).find(tag)
        if found is None:
            raise Garbled(f"{url}: no <{tag}> in the answer")
        return found

    def _url(self, path: str, **asked: str) -> str:
        """Address without the key. Raises FredError for a series id that is none."""
        if "series_id" in asked:
            _checked_id(asked["series_id"])
        return f"{self.root_url}/{path}?{urlencode(asked)}"

    def _fetch(self, url: str, patience: Patience | None = None) -> ET.Element:
        """The answer to an address (without key): paced, retried, typed failures. fredapi's one seam."""
        if not url.startswith(f"{self.root_url}/"):
            raise FredError("not an address of FRED")
        return (patience or self._patience).keep_trying(lambda: self._once(url))

    # fredapi calls `self.__fetch_data` inside its class, which Python spells like this
    _Fred__fetch_data = _fetch

    def _once(self, url: str) -> ET.Element:
        """One request."""
        self._pacer.wait()
        shown = self._key.hidden_in(url)
        try:
            answer = self._http.get(url)
        except Transient as failure:
            kind = NothingListens if isinstance(failure, NothingListens) else Transient
            raise kind(f"{shown}: {self._key.hidden_in(str(failure))}") from None
        except Permanent as failure:
            raise FredError(f"{shown}: {self._key.hidden_in(str(failure))}") from None
        root = _parsed(answer.body)
        message = root.get("message", "") if root is not None and root.tag == "error" else None
        if answer.status != 200 or message is not None:
            code = answer.status if answer.status != 200 else _code(root)
            masked = None if message is None else self._key.hidden_in(message)
            failed = failure_of(code, masked, shown, answer.retry_after)
            if isinstance(failed, KeyRefused) and self._is_accepted:
                raise KeyDoubted(f"{shown}: {failed}")
            raise failed
        if root is None:
            is_empty = not answer.body.strip()
            what = "an empty answer" if is_empty else "the answer is no complete XML"
            raise Garbled(f"{shown}: {what}", is_empty)
        self._is_accepted = True
        return root


@dataclass
class _Came:
    """How many elements of an answer in pages came, and how many FRED says there are."""

    came: int = 0
    count: int | None = None


@dataclass
class _Pages:
    """The pages of one answer that came."""

    parts: list[Periods] = field(default_factory=list)
    progress: _Came = field(default_factory=_Came)


class _Moved(Garbled):
    """The number of elements changed between two pages."""


def checked_root(url: str) -> str:
    """The address without a trailing slash. Raises ValueError for one that would expose the key."""
    root = checked_address(url.strip().rstrip("/"), "FRED_ROOT_URL")
    if "?" in root or "#" in root:
        raise ValueError("FRED_ROOT_URL is no address like https://api.stlouisfed.org/fred")
    return root


def _checked_id(series_id: str) -> str:
    if not _SERIES_ID.fullmatch(series_id):
        raise FredError(f"{series_id[:40]!r} is no FRED series id")
    return series_id


def _parsed(body: bytes) -> ET.Element | None:
    """The answer's root; None when it is no XML. FRED sends no document type, and one may define entities."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body or b"\x00" in body:
        return None
    try:
        return ET.fromstring(body)
    except ET.ParseError:
        return None


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
