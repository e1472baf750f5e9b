"""FRED's observations as arrays, and the vintages of a series put together from several windows.

Belongs here: pure reading, cutting and stitching. Does not belong here: asking (`fred_client.py`).

FRED clips real-time periods to the window that was asked for: a figure that held from 1999 to 2010 comes out
of two windows as two periods, which must be glued or they would look like a revision.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from assets.compute.calendar import Days, days

FIRST_DAY = "1776-07-04"  # the earliest real-time date FRED takes
LAST_DAY = "9999-12-31"  # the end of a period that still holds
MISSING = "."
_DAY = np.timedelta64(1, "D")
_DATES = re.compile(r"(?:\d{4}-\d\d-\d\d\n)*")
_NUMBERS = re.compile(r"(?:(?:\.|[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\n)*")
_STEPS = (-6, -3, 3, 6)  # powers of ten between units, thousands to billions
_STEP_TOLERANCE = 0.02  # of a power of ten: the same figures, rounded, may be revised on the same day
_STEP_ROWS, _STEP_SHARE = 10, 0.9


class Unreadable(ValueError):
    """A text that is not what its place calls for: `wanted`. The message shows it."""

    def __init__(self, text: str, where: str, wanted: Literal["number", "date", "real-time period"]) -> None:
        super().__init__(f"{text[:40]!r} {where} is no {wanted}")
        self.is_date = wanted != "number"


@dataclass(frozen=True)
class Periods:
    """Values with the days from and to which each was the known one; one entry per observation and period."""

    observation: Days
    start: Days
    end: Days
    value: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.observation)

    def take(self, rows: npt.NDArray) -> Periods:
        """Some of the entries, by mask or position."""
        return Periods(self.observation[rows], self.start[rows], self.end[rows], self.value[rows])


def parse_observations(root: ET.Element) -> Periods:
    """The `<observation>` elements of an answer. Raises Unreadable, naming the first thing that is wrong."""
    found = root.findall("observation")
    dates = [entry.get("date", "") for entry in found]
    starts = [entry.get("realtime_start", "") for entry in found]
    ends = [entry.get("realtime_end", "") for entry in found]
    values = [entry.get("value", "") for entry in found]
    if not _NUMBERS.fullmatch(_lines(values)):
        at = next(n for n, text in enumerate(values) if not _NUMBERS.fullmatch(f"{text}\n"))
        raise Unreadable(values[at], f"on {dates[at]}", "number")
    numbers = np.array([np.nan if text == MISSING else float(text) for text in values], dtype="float64")
    if np.isinf(numbers).any():
        at = int(np.isinf(numbers).argmax())
        raise Unreadable(values[at], f"on {dates[at]}", "number")
    periods = Periods(_dates(dates), _dates(starts), _dates(ends), numbers)
    is_reversed = periods.start > periods.end
    if is_reversed.any():
        at = int(is_reversed.argmax())
        raise Unreadable(f"{starts[at]} to {ends[at]}", f"on {dates[at]}", "real-time period")
    return periods


def parse_dates(texts: Sequence[str]) -> Days:
    """Days of the form 2026-05-31. Raises Unreadable."""
    return _dates(texts)


def _dates(texts: Sequence[str]) -> Days:
    if not _DATES.fullmatch(_lines(texts)):
        wrong = next(text for text in texts if not _DATES.fullmatch(f"{text}\n"))
        raise Unreadable(wrong, "among the dates", "date")
    try:
        return np.array(texts, dtype="datetime64[D]")
    except ValueError as error:
        raise Unreadable(str(error)[-40:], "among the dates", "date") from None


def _lines(texts: Sequence[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


def join(parts: Sequence[Periods]) -> Periods:
    """Entries of several answers, one after the other."""
    return Periods(
        np.concatenate([days([]), *(part.observation for part in parts)]),
        np.concatenate([days([]), *(part.start for part in parts)]),
        np.concatenate([days([]), *(part.end for part in parts)]),
        np.concatenate([np.empty(0), *(part.value for part in parts)]),
    )


def windows(vintage_dates: Days, since: str, size: int) -> list[tuple[str, str]]:
    """Real-time periods of at most `size` vintage dates each, without gap or overlap, from `since` to the end."""
    later = np.unique(vintage_dates[vintage_dates > np.datetime64(since, "D")])
    firsts = [since, *(str(day) for day in later[size - 1 :: size])]
    lasts = [*(str(np.datetime64(first, "D") - _DAY) for first in firsts[1:]), LAST_DAY]
    return list(zip(firsts, lasts, strict=True))


def stitch(parts: Sequence[Periods]) -> Periods:
    """Entries of adjacent windows with clipped periods glued again; by observation, then start."""
    rows = join(parts)
    rows = rows.take(np.lexsort((rows.start, rows.observation)))
    if len(rows) == 0:
        return rows
    same = rows.value[1:] == rows.value[:-1]
    same |= np.isnan(rows.value[1:]) & np.isnan(rows.value[:-1])
    glued = same & (rows.observation[1:] == rows.observation[:-1]) & (rows.start[1:] == rows.end[:-1] + _DAY)
    is_first = np.concatenate([[True], ~glued])
    is_last = np.concatenate([~glued, [True]])
    return Periods(rows.observation[is_first], rows.start[is_first], rows.end[is_last], rows.value[is_first])


def with_withdrawals(rows: Periods, today: np.datetime64) -> Periods:
    """Entries (by observation, then start), and a missing one from each day on which a figure was withdrawn.

    A base year that changes leaves out the first decades for a while, say: FRED then ends a period and begins no other.
    An end on or after `today` is the edge of what was asked for, and no withdrawal.
    """
    if len(rows) == 0:
        return rows
    gone = rows.end + _DAY
    is_followed = np.append(rows.observation[1:] == rows.observation[:-1], False)
    following: Days = np.where(is_followed, np.roll(rows.start, -1), np.datetime64(LAST_DAY, "D") + _DAY)
    is_withdrawn = (gone <= today) & (gone < following) & ~np.isnan(rows.value)
    missing = np.full(int(is_withdrawn.sum()), np.nan)
    left = Periods(
        rows.observation[is_withdrawn], gone[is_withdrawn], following[is_withdrawn] - _DAY, missing
    )
    both = join([rows, left])
    return both.take(np.lexsort((both.start, both.observation)))


def in_todays_unit(rows: Periods) -> tuple[Periods, list[tuple[np.datetime64, int]]]:
    """Entries (by observation, then start) with the vintages of a former unit carried into today's.

    When FRED changes the unit of a series, from billions to millions say, a day's vintage repeats every figure
    times a power of a thousand. The second result lists these days with the power of ten, newest first.
    """
    days_of, powers = _steps(rows)
    value, found = rows.value.copy(), []
    for day, power in sorted(zip(days_of, powers, strict=True), reverse=True):
        value[rows.start < day] *= 10.0**power
        found.append((day, power))
    return Periods(rows.observation, rows.start, rows.end, value), found


def _steps(rows: Periods) -> tuple[list[np.datetime64], list[int]]:
    before, after = rows.value[:-1], rows.value[1:]
    comparable = (rows.observation[1:] == rows.observation[:-1]) & np.isfinite(before) & np.isfinite(after)
    comparable &= (before != 0) & (after != 0)
    ratio = np.log10(np.abs(np.where(comparable, after, 1.0) / np.where(comparable, before, 1.0)))
    power = np.round(ratio).astype("int64")
    is_step = comparable & np.isin(power, _STEPS) & (np.abs(ratio - power) < _STEP_TOLERANCE)
    days_of, powers = [], []
    for day in np.unique(rows.start[1:][is_step]):
        on_day = comparable & (rows.start[1:] == day)
        stepped = is_step & on_day
        if stepped.sum() >= max(_STEP_ROWS, _STEP_SHARE * on_day.sum()) and len(set(power[stepped])) == 1:
            days_of.append(day)
            powers.append(int(power[stepped][0]))
    return days_of, powers
