"""A fake FRED with the real protocol: its key check, limits, clipping and error messages."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from xml.sax.saxutils import quoteattr

import numpy as np

from tests.fakes.faults import Fault, Script
from tests.fakes.fred_world import Published, ReleaseDates, World
from tests.fakes.server import Loopback, Served, running

MOST_ROWS, MOST_DATES, MOST_VINTAGES = 100_000, 10_000, 2000
_NO_KEY = (
    "Bad Request.  The value for variable api_key is {}.  "
    "Read https://fred.stlouisfed.org/docs/api/api_key.html for more information."
)
_FIRST_DAY, _LAST_DAY = "1776-07-04", "9999-12-31"
_NOT_IN_ALFRED = (
    "Bad Request.  The series does not exist in ALFRED but may exist in FRED.  Try setting realtime_start and "
    "realtime_end to today's date or removing the realtime_start and realtime_end variables."
)
_REAL_TIME, _PAGES = {"realtime_start", "realtime_end"}, {"limit", "offset", "sort_order"}
# What each address takes, as documented, besides api_key.
_TAKES = {
    "/fred/series": {"series_id", *_REAL_TIME},
    "/fred/series/observations": {"series_id", "observation_start", *_REAL_TIME, *_PAGES},
    "/fred/series/vintagedates": {"series_id", *_REAL_TIME, *_PAGES},
    "/fred/series/release": {"series_id", *_REAL_TIME},
    "/fred/release/dates": {"release_id", "include_release_dates_with_no_data", *_REAL_TIME, *_PAGES},
}


class Refused(Exception):
    """An error of FRED's, with its status."""

    def __init__(self, message: str, code: int = 400) -> None:
        self.code, self.message = code, message
        super().__init__(message)


class FredServer(Loopback):
    """A running server; `asked` lists every request as (seconds, path, arguments without the key).

    `after` maps a number of requests to what happens then, once.
    """

    def __init__(self, world: World) -> None:
        super().__init__({})
        self.world, self.script, self.url = world, Script(), f"{self.root}/fred"
        self.asked: list[tuple[float, str, dict[str, str]]] = []
        self.after: dict[int, Callable[[], None]] = {}

    def count(self, path: str = "", series_id: str | None = None) -> int:
        """Requests to a path, about a series."""
        return sum(
            path in asked and (series_id is None or arguments.get("series_id") == series_id)
            for _, asked, arguments in self.asked
        )

    def respond(self, path: str, query: dict[str, str]) -> Served:
        shown = {name: value for name, value in query.items() if name != "api_key"}
        self.asked.append((time.monotonic(), path, shown))
        self.after.pop(len(self.asked), lambda: None)()
        try:
            return Served(_answer(self.world, path, query), "text/xml; charset=UTF-8")
        except Refused as refusal:
            message = quoteattr(refusal.message)
            body = f'<?xml version="1.0"?><error code="{refusal.code}" message={message}/>'
            return Served(body.encode(), "text/xml; charset=UTF-8", code=refusal.code)

    def next_fault(self, address: str) -> Fault | None:
        return self.script.next_for(re.sub("api_key=[^&]*", "", address))


def fred_server(world: World) -> AbstractContextManager[FredServer]:
    """A FRED that knows `world`, for the length of a block."""
    return running(FredServer(world))


def _answer(world: World, path: str, arguments: dict[str, str]) -> bytes:
    key = arguments.get("api_key", "")
    if len(key) != 32 or not key.isalnum() or key != key.lower():
        raise Refused(_NO_KEY.format("not a 32 character alpha-numeric lower-case string"))
    if key != world.key:
        raise Refused(_NO_KEY.format("not registered"))
    endpoints = {
        "/fred/series": _series,
        "/fred/series/observations": _observations,
        "/fred/series/vintagedates": _vintage_dates,
        "/fred/series/release": _release,
        "/fred/release/dates": _release_dates,
    }
    if path not in endpoints:
        raise Refused("Not Found.", 404)
    if unknown := arguments.keys() - _TAKES[path] - {"api_key"}:
        raise Refused(
            f"Bad Request.  No such variable: {sorted(unknown)}."
        )  # stricter than FRED, which may ignore it
    return endpoints[path](world, arguments)


def _found(world: World, arguments: dict[str, str]) -> Published:
    if arguments.get("series_id") not in world.series:
        raise Refused("Bad Request.  The series does not exist.")
    return world.series[arguments["series_id"]]


def _series(world: World, arguments: dict[str, str]) -> bytes:
    one, today = _found(world, arguments), world.today.isoformat()
    last = one.last_updated.strftime("%Y-%m-%d %H:%M:%S") + "+00"
    attributes = {
        "id": one.series_id, "realtime_start": today, "realtime_end": today, "title": one.title,
        "observation_start": str(one.observation.min()), "observation_end": str(one.observation.max()),
        "frequency": one.frequency, "frequency_short": one.frequency[0], "units": one.units, "units_short": one.units,
        "seasonal_adjustment": "Not Seasonally Adjusted", "seasonal_adjustment_short": "NSA",
        "last_updated": last, "popularity": "50", "notes": "A note & a <tag>.",
    }  # fmt: skip
    inside = " ".join(f"{name}={quoteattr(text)}" for name, text in attributes.items())
    body = f'<seriess realtime_start="{today}" realtime_end="{today}"><series {inside}/></seriess>'
    return f'<?xml version="1.0" encoding="utf-8" ?>{body}'.encode()


def _real_time(
    world: World, arguments: dict[str, str], start: str, end: str
) -> tuple[np.datetime64, np.datetime64]:
    first = arguments.get("realtime_start", start)
    last = arguments.get("realtime_end", end)
    if first > last:
        raise Refused("Bad Request.  Variable realtime_end can not be before realtime_start.")
    if last != _LAST_DAY and last > world.today.isoformat():
        raise Refused(
            f"Bad Request.  Variable realtime_end can not be after today's date ({world.today}) unless it's equal to "
            f"the real-time max date {_LAST_DAY}."
        )
    return np.datetime64(first, "D"), np.datetime64(last, "D")


def _page(arguments: dict[str, str], most: int) -> tuple[int, int]:
    limit, offset = int(arguments.get("limit", most)), int(arguments.get("offset", 0))
    if not 1 <= limit <= most:
        raise Refused(f"Bad Request.  Variable limit is not between 1 and {most}.")
    return limit, offset


def _observations(world: World, arguments: dict[str, str]) -> bytes:
    one, today = _found(world, arguments), world.today.isoformat()
    first, last = _real_time(world, arguments, today, today)
    is_real_time = "realtime_start" in arguments or "realtime_end" in arguments
    inside = int(((one.vintage_dates >= first) & (one.vintage_dates <= last)).sum())
    if is_real_time and not one.is_in_alfred:  # a window without a vintage inside gives the clipped rows
        raise Refused(_NOT_IN_ALFRED)
    if inside > MOST_VINTAGES:
        raise Refused(
            f"Bad Request.  There are {inside} vintage dates in the specified real-time period: {first} to {last}.  "
            f"This exceeds the maximum number of vintage dates allowed for this file type ({MOST_VINTAGES})."
        )
    since = np.datetime64(arguments.get("observation_start", _FIRST_DAY), "D")
    rows = np.flatnonzero((one.start <= last) & (one.end >= first) & (one.observation >= since))
    limit, offset = _page(arguments, MOST_ROWS)
    page = rows[offset : offset + limit]
    found = zip(
        np.maximum(one.start[page], first).astype(str),
        np.minimum(one.end[page], last).astype(str),
        one.observation[page].astype(str),
        ["." if np.isnan(value) else repr(value) for value in one.value[page].tolist()],
        strict=True,
    )
    body = "".join(
        f'<observation realtime_start="{start}" realtime_end="{end}" date="{date}" value="{value}"/>\n'
        for start, end, date, value in found
    )
    head = (
        f'<observations realtime_start="{first}" realtime_end="{last}" observation_start="1600-01-01" '
        f'observation_end="9999-12-31" units="lin" output_type="1" file_type="xml" order_by="observation_date" '
        f'sort_order="asc" count="{len(rows)}" offset="{offset}" limit="{limit}">'
    )
    return f'<?xml version="1.0" encoding="utf-8" ?>{head}{body}</observations>'.encode()


def _vintage_dates(world: World, arguments: dict[str, str]) -> bytes:
    one = _found(world, arguments)
    if not one.is_in_alfred:
        raise Refused(_NOT_IN_ALFRED)
    first, last = _real_time(world, arguments, _FIRST_DAY, _LAST_DAY)
    dates = one.vintage_dates
    dates = dates[(dates >= first) & (dates <= last)]
    return _dates("vintage_dates", "vintage_date", "", dates, arguments)


def _release(world: World, arguments: dict[str, str]) -> bytes:
    one, today = _found(world, arguments), world.today.isoformat()
    name = _release_of(world, one.release_id).name
    return (
        f'<releases realtime_start="{today}" realtime_end="{today}"><release id="{one.release_id}" '
        f'realtime_start="{today}" realtime_end="{today}" name={quoteattr(name)} press_release="true"/></releases>'
    ).encode()


def _release_dates(world: World, arguments: dict[str, str]) -> bytes:
    release_id = int(arguments.get("release_id", "0"))
    release = _release_of(world, release_id)
    dates = release.with_figures
    if arguments.get("include_release_dates_with_no_data") == "true":
        dates = np.unique(np.concatenate([dates, release.planned]))
    return _dates("release_dates", "release_date", f' release_id="{release_id}"', dates, arguments)


def _release_of(world: World, release_id: int) -> ReleaseDates:
    if release_id not in world.releases:
        raise Refused("Bad Request.  The release does not exist.")
    return world.releases[release_id]


def _dates(plural: str, singular: str, inside: str, dates: np.ndarray, arguments: dict[str, str]) -> bytes:
    limit, offset = _page(arguments, MOST_DATES)
    body = "".join(f"<{singular}{inside}>{day}</{singular}>" for day in dates[offset : offset + limit])
    return f'<{plural} count="{len(dates)}" offset="{offset}" limit="{limit}">{body}</{plural}>'.encode()
