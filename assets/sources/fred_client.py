"""FRED through fredapi: its methods, its address, and every request through our HTTP client.

fredapi 0.5.2 sends all its requests from one private method (`Fred.__fetch_data`), without timeout, retry or pace, and
with the key in its errors. This class overrides that method, by its mangled name, with `_fetch`: the only private name
of fredapi in use. A test fails when fredapi moves it.

fredapi's own method gets the metadata of a series (`get_series_info`). Figures, vintages and release dates are
requested here: fredapi stops at the first page of a response (100,000 rows, 10,000 dates) without an error, fails above
2,000 vintages, drops `realtime_end`, and has no release dates.
"""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import numpy as np
import pandas as pd
from fredapi import Fred

from assets.compute.calendar import Days
from assets.progress import Throttle
from assets.sources.http import Http, Limits, checked_address
from assets.sources.pacing import Pacer, Permanent, RetryPolicy, Transient, refusal
from assets.sources.parse import Unusable, is_number, iso_day
from assets.sources.protocol import CredentialsRefused, Rule, observations_frame

FIRST_DAY = "1776-07-04"  # the earliest real-time date FRED accepts
LAST_DAY = "9999-12-31"  # the end of a period that is still open
MISSING = "."
DAY = np.timedelta64(1, "D")
ORDER = ["observation_date", "realtime_start"]
ROWS_PER_RESPONSE = 100_000
DATES_PER_RESPONSE = 10_000
VINTAGES_PER_RESPONSE = 1900  # FRED allows 2,000
REQUESTS_PER_SECOND = 1.8  # FRED allows two, counted each second
LIMITS = Limits(silence=30.0, total=120.0, size=128 * 1024 * 1024)
KEY_PAGE = "https://fredaccount.stlouisfed.org/apikeys"
# shown at every step where a key is entered; the page itself could not be opened (docs/data_terms.md)
TERMS = (
    "FRED's terms (https://fred.stlouisfed.org/legal/, as quoted by copies read in September and October 2026) forbid, "
    "without the Bank's prior written consent, to \"store, cache, or archive any portion of the FRED Services or FRED "
    'Content" or to "incorporate any FRED Content in any database, compilation, archive, cache"'
)
_SERIES_ID = re.compile(r"[A-Z0-9_.]{1,25}")
_KEY_FORM = re.compile(r"[0-9a-z]{32}")
_IN_QUERY = re.compile(r"(api_key=)[^&\s\"'<>]*", re.IGNORECASE)
_LONGEST_MESSAGE = 200


class FredError(Exception):
    """FRED refused a request, and a retry would not help: one line with the request, without the key."""


class KeyDoubted(Transient):
    """FRED refuses a key that it accepted before in this run: a fault of FRED's, which may pass."""


class SeriesNotFound(FredError):
    """FRED has no such series."""


class NotInAlfred(FredError):
    """The series is served without vintages (or, in the same words of FRED's, does not exist)."""


class TooManyVintages(FredError):
    """The real-time period has more vintage dates than fit into one response (2,000)."""


class Garbled(Transient):
    """A response that cannot be parsed. May pass; when it does not, what FRED serves is wrong."""

    rule: Rule = "missing_column"


class Empty(Garbled):
    """A response without a byte."""

    rule = "empty_file"


class _Moved(Garbled):
    """The number of elements changed between two pages."""


class ApiKey:
    """The key; not shown by `repr`, in a pickle or in a message."""

    __slots__ = ("_text",)

    def __init__(self, text: str | None) -> None:
        """Raises CredentialsRefused for a text FRED would not accept, before anything is sent."""
        stripped = (text or "").strip()
        if not stripped:
            raise CredentialsRefused(
                f"there is no FRED key: get one (free) at {KEY_PAGE} and set FRED_API_KEY. {TERMS}"
            )
        if not _KEY_FORM.fullmatch(stripped):
            raise CredentialsRefused(
                "the FRED key is not 32 lower-case letters and digits: copy it again from "
                f"{KEY_PAGE} into FRED_API_KEY"
            )
        self._text = stripped

    def __repr__(self) -> str:
        return "ApiKey(hidden)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("the key is never written")

    def add_to(self, url: str) -> str:
        """The URL that is sent. Only the client's transport may see it (`http.py`)."""
        return f"{url}{'&' if '?' in url else '?'}api_key={self._text}"

    def hidden_in(self, text: str) -> str:
        """A text on one line in which the key is masked."""
        masked = _IN_QUERY.sub(r"\1***", text.replace(self._text, "***"))
        return " ".join(masked.split())[:_LONGEST_MESSAGE]


@dataclass(frozen=True)
class SeriesInfo:
    """FRED's metadata of a series today. `last_updated` is aware, None when unreadable."""

    title: str
    units: str
    frequency: str
    last_updated: dt.datetime | None


@dataclass(frozen=True)
class Release:
    """The release a series is published with."""

    release_id: int
    name: str


class FredClient(Fred):
    """One FRED account; neither `repr` nor `vars` shows the key."""

    def __init__(
        self,
        api_key: str | None,
        root_url: str | None = None,
        *,
        requests_per_second: float = REQUESTS_PER_SECOND,
        retries: RetryPolicy | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Raises CredentialsRefused for no or an impossible key, ValueError for an address that would expose it.

        fredapi's own constructor is not called: it stores the key as plain text and sets proxies for the process.
        """
        self._key = ApiKey(api_key)
        self.root_url = checked_root(root_url or Fred.root_url)
        self._retries = retries or RetryPolicy()
        self._pacer = Pacer(requests_per_second, self._retries.clock)
        self._http = Http(limits or LIMITS, self._key.add_to)
        self._is_accepted = False
        self._lines = Throttle(self._retries.clock.monotonic)

    @property
    def requests(self) -> int:
        """Requests sent so far, retries included."""
        return self._http.requests

    def series_info(self, series_id: str) -> SeriesInfo:
        """FRED's metadata of a series today. Raises SeriesNotFound."""
        try:
            found = self.get_series_info(_checked_id(series_id))
        except ValueError:  # fredapi's, for a response without elements
            found = {}
        if found.get("id") != series_id:
            raise Garbled(f"{self.root_url}/series?series_id={series_id}: no <series> in the response")
        return SeriesInfo(
            title=found.get("title", ""),
            units=found.get("units", ""),
            frequency=found.get("frequency", ""),
            last_updated=_moment(found.get("last_updated")),
        )

    def probe(self, series_id: str) -> None:
        """One short request with at most one retry."""
        self._fetch(self._url("series", series_id=series_id), self._retries.brief())

    def observations(self, series_id: str, since: str | None = None) -> pd.DataFrame:
        """Today's figures from an observation date on; their periods are not vintages."""
        return self._observations(series_id, {} if since is None else {"observation_start": since})

    def all_releases(self, series_id: str, since: str = FIRST_DAY) -> pd.DataFrame:
        """Every vintage since a day (periods that began earlier begin on it), by observation, then start.

        Raises NotInAlfred for a series FRED has without vintages.
        """
        try:
            return stitch([self._observations(series_id, _real_time(since, LAST_DAY))])
        except TooManyVintages:
            cut = windows(self.vintage_dates(series_id), since, VINTAGES_PER_RESPONSE)
            return stitch([self._observations(series_id, _real_time(first, last)) for first, last in cut])

    def vintage_dates(self, series_id: str) -> Days:
        """Every day on which a figure of the series appeared or changed."""
        return self._dates("series/vintagedates", "vintage_date", series_id=_checked_id(series_id))

    def release_of(self, series_id: str) -> Release:
        """The release a series is published with."""
        url = self._url("series/release", series_id=series_id)
        found = self._fetch(url).find("release")
        release_id = found.get("id", "") if found is not None else ""
        if found is None or not release_id.isdigit():
            raise Garbled(f"{url}: no <release> with a number in the response")
        return Release(int(release_id), found.get("name", ""))

    def release_dates(self, release_id: int, planned: bool) -> Days:
        """Every day a release came out with figures, oldest first; with `planned`, every day of its calendar."""
        also = {"include_release_dates_with_no_data": "true"} if planned else {}  # future and missed days too
        return self._dates("release/dates", "release_date", release_id=str(int(release_id)), **also)

    def _dates(self, path: str, tag: str, **arguments: str) -> Days:
        request = {**arguments, **_real_time(FIRST_DAY, LAST_DAY)}
        roots = self._pages(path, tag, DATES_PER_RESPONSE, request)
        return parse_dates([entry.text or "" for root in roots for entry in root.findall(tag)])

    def _observations(self, series_id: str, arguments: dict[str, str]) -> pd.DataFrame:
        """A series updated between two pages is read again, once, from its first page."""
        try:
            return self._read_pages(series_id, arguments)
        except _Moved:
            return self._read_pages(series_id, arguments)

    def _read_pages(self, series_id: str, arguments: dict[str, str]) -> pd.DataFrame:
        request = {"series_id": series_id, **arguments}
        pages = self._pages("series/observations", "observation", ROWS_PER_RESPONSE, request)
        return pd.concat(map(parse_observations, pages), ignore_index=True)

    def _pages(self, path: str, tag: str, size: int, arguments: dict[str, str]) -> Iterator[ET.Element]:
        """Responses of `size` elements each until all that FRED counts have arrived. Raises Garbled when fewer do."""
        received, total = 0, None
        while total is None or received < total:
            url = self._url(path, **arguments, sort_order="asc", limit=str(size), offset=str(received))
            root = self._fetch(url)
            stated = root.get("count", "")
            if not stated.isdigit():
                raise Garbled(f"{url}: the response does not state how many {tag}s there are")
            count, here = int(stated), len(root.findall(tag))
            if total is not None and count != total:
                raise _Moved(f"{url}: the series changed while it was read")
            if here == 0 and received < count:
                raise Garbled(f"{url}: {received} of {count} {tag}s arrived")
            yield root
            received, total = received + here, count
            what = arguments.get("series_id", "release dates")
            self._report(what, -(-received // size), -(-count // size))

    def _report(self, what: str, page: int, of: int) -> None:
        """The progress of a long response."""
        if of > 1:
            self._lines.info(lambda: f"FRED: {what}, page {page} of {of}, {self.requests} requests so far")

    def _url(self, path: str, **arguments: str) -> str:
        """Address without the key. Raises FredError for an invalid series id."""
        if "series_id" in arguments:
            _checked_id(arguments["series_id"])
        return f"{self.root_url}/{path}?{urlencode(arguments)}"

    def _fetch(self, url: str, retries: RetryPolicy | None = None) -> ET.Element:
        """The response to an address (without key): paced, retried, with typed failures."""
        if not url.startswith(f"{self.root_url}/"):
            raise FredError("not an address of FRED")
        return (retries or self._retries).call(lambda: self._once(url))

    # fredapi calls `self.__fetch_data` inside its class, which Python spells like this
    _Fred__fetch_data = _fetch

    def _once(self, url: str) -> ET.Element:
        """One request."""
        self._pacer.wait()
        shown = self._key.hidden_in(url)
        try:
            response = self._http.get(url)
        except Transient as failure:
            raise type(failure)(f"{shown}: {self._key.hidden_in(str(failure))}") from None
        except Permanent as failure:
            raise FredError(f"{shown}: {self._key.hidden_in(str(failure))}") from None
        root = _parsed(response.body)
        is_error = root is not None and root.tag == "error"
        if response.status != 200 or is_error:
            code = response.status if response.status != 200 else _code(root)
            message = self._key.hidden_in(root.get("message", "")) if root is not None and is_error else ""
            failed = _failure(code, message, shown, response.retry_after)
            if isinstance(failed, CredentialsRefused) and self._is_accepted:
                raise KeyDoubted(f"{shown}: {failed}")
            raise failed
        if root is None:
            if not response.body.strip():
                raise Empty(f"{shown}: an empty response")
            raise Garbled(f"{shown}: the response is no complete XML")
        self._is_accepted = True
        return root


def _failure(status: int, message: str, shown: str, retry_after: float | None) -> Exception:
    """The failure a response states. `message` is FRED's own, with the key masked."""
    text = f"{shown}: FRED responded {status}" + (f": {message}" if message else "")
    failure = refusal(status, text, retry_after)
    if isinstance(failure, Transient):
        return failure
    if "api_key" in message or status == 401:
        return CredentialsRefused(
            f"FRED refuses the key ({message or status}): check FRED_API_KEY, or get one at {KEY_PAGE}"
        )
    kinds = {
        "does not exist in ALFRED": NotInAlfred,
        "maximum number of vintage dates": TooManyVintages,
        "series does not exist": SeriesNotFound,
    }
    return next((kind for words, kind in kinds.items() if words in message), FredError)(text)


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
    """The response's root; None when it is no XML. FRED sends no document type, which might define entities."""
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


def parse_observations(root: ET.Element) -> pd.DataFrame:
    """The `<observation>` elements of a response, as `Payload.observations` with `realtime_end`.

    Raises Unusable, naming the first fault.
    """
    found = root.findall("observation")
    dates, starts, ends, texts = (
        [entry.get(name, "") for entry in found]
        for name in ("date", "realtime_start", "realtime_end", "value")
    )
    for date, text in zip(dates, texts, strict=True):
        if text != MISSING and not is_number(text):
            raise Unusable("not_a_number", f"{text[:40]!r} on {date} is no number")
    values = np.array([np.nan if text == MISSING else float(text) for text in texts], dtype="float64")
    rows = observations_frame(parse_dates(dates), values, parse_dates(starts))
    rows["realtime_end"] = parse_dates(ends).astype("datetime64[s]")
    for at in np.flatnonzero(rows["realtime_start"] > rows["realtime_end"])[:1]:
        text = f"{starts[at]} to {ends[at]}"
        raise Unusable("not_a_date", f"{text!r} on {dates[at]} is no real-time period")
    return rows


def parse_dates(texts: Sequence[str]) -> Days:
    """Days of the form 2026-05-31. Raises Unusable."""
    for text in dict.fromkeys(texts):
        iso_day(text)
    return np.array(texts, dtype="datetime64[D]")


def windows(vintage_dates: Days, since: str, size: int) -> list[tuple[str, str]]:
    """Real-time windows of at most `size` vintage dates each, without gap or overlap, from `since` to the end."""
    later = np.unique(vintage_dates[vintage_dates > np.datetime64(since, "D")])
    firsts = [since, *(str(day) for day in later[size - 1 :: size])]
    lasts = [*(str(np.datetime64(first, "D") - DAY) for first in firsts[1:]), LAST_DAY]
    return list(zip(firsts, lasts, strict=True))


def stitch(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows of adjacent windows, clipped periods joined again; by observation, then start."""
    rows = pd.concat(parts).sort_values(ORDER, ignore_index=True)
    before = rows.shift()
    is_same = (rows["value"] == before["value"]) | (rows["value"].isna() & before["value"].isna())
    is_same &= rows["observation_date"] == before["observation_date"]
    is_joined = is_same & (rows["realtime_start"] == before["realtime_end"] + DAY)
    is_last = ~is_joined.shift(-1, fill_value=False)
    return rows[~is_joined].assign(realtime_end=rows.loc[is_last, "realtime_end"].to_numpy())
