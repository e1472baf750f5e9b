"""FRED's vintages and release dates as arrays: parsing, clipped periods joined again, withdrawals, first publications.

Every observation has one row per period in which its value was the known one. A request for a window of real time
clips these periods to it.
"""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.catalog.models import Series
from assets.compute.calendar import NAT, Days, days, first_publication, period_end, stamp_before
from assets.sources.parse import Unusable, is_iso_date, is_number

FIRST_DAY = "1776-07-04"  # the earliest real-time date FRED accepts
LAST_DAY = "9999-12-31"  # the end of a period that is still open
MISSING = "."
_DAY = np.timedelta64(1, "D")
_STEPS = (-6, -3, 3, 6)  # powers of ten between units, thousands to billions
_STEP_TOLERANCE = 0.02  # of a power of ten: the same figures, rounded, may be revised on the same day
_STEP_ROWS, _STEP_SHARE = 10, 0.9
# Days before the lag rule's date from which a release date may be the period's own.
_EARLY = {"W": 3, "M": 10, "Q": 10}
# For a release with several days a period (GDP: three a quarter; a weekly one with a monthly figure). FRED does not
# state which of them brought the figure, and a day too early would be look-ahead.
_EARLY_OF_MANY = {"W": 0, "M": 0, "Q": 5}
_OFTEN, _PERIOD_DAYS = 0.6, {"W": 7, "M": 30, "Q": 91}
_DAILY = 4  # days between dates: even a weekly release is further apart
_MONTHS = {"M": 1, "Q": 3}
_LATEST = np.timedelta64(150, "D")  # after it, the date belongs to something else


@dataclass(frozen=True)
class Periods:
    """Values with the first and last day on which each was the known one; one entry per observation and period."""

    observation: Days
    start: Days
    end: Days
    value: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.observation)

    def take(self, rows: npt.NDArray) -> Periods:
        """Some of the entries, by mask or position."""
        return Periods(self.observation[rows], self.start[rows], self.end[rows], self.value[rows])

    def sorted(self) -> Periods:
        """By observation, then start."""
        return self.take(np.lexsort((self.start, self.observation)))


def parse_observations(root: ET.Element) -> Periods:
    """The `<observation>` elements of a response. Raises Unusable, naming the first fault."""
    found = root.findall("observation")
    dates, starts, ends, texts = (
        [entry.get(name, "") for entry in found]
        for name in ("date", "realtime_start", "realtime_end", "value")
    )
    for date, text in zip(dates, texts, strict=True):
        if text != MISSING and not is_number(text):
            raise Unusable("not_a_number", f"{text[:40]!r} on {date} is no number")
    values = np.array([np.nan if text == MISSING else float(text) for text in texts], dtype="float64")
    periods = Periods(parse_dates(dates), parse_dates(starts), parse_dates(ends), values)
    is_reversed = periods.start > periods.end
    if is_reversed.any():
        at = int(is_reversed.argmax())
        text = f"{starts[at]} to {ends[at]}"
        raise Unusable("not_a_date", f"{text!r} on {dates[at]} is no real-time period")
    return periods


def parse_dates(texts: Sequence[str]) -> Days:
    """Days of the form 2026-05-31. Raises Unusable."""
    for text in dict.fromkeys(texts):
        if not is_iso_date(text):
            raise Unusable("not_a_date", f"{text[:40]!r} among the dates is no date")
    return np.array(texts, dtype="datetime64[D]")


def join(parts: Sequence[Periods]) -> Periods:
    """Entries of several responses, one after the other."""
    return Periods(
        np.concatenate([days([]), *(part.observation for part in parts)]),
        np.concatenate([days([]), *(part.start for part in parts)]),
        np.concatenate([days([]), *(part.end for part in parts)]),
        np.concatenate([np.empty(0), *(part.value for part in parts)]),
    )


def windows(vintage_dates: Days, since: str, size: int) -> list[tuple[str, str]]:
    """Real-time windows of at most `size` vintage dates each, without gap or overlap, from `since` to the end."""
    later = np.unique(vintage_dates[vintage_dates > np.datetime64(since, "D")])
    firsts = [since, *(str(day) for day in later[size - 1 :: size])]
    lasts = [*(str(np.datetime64(first, "D") - _DAY) for first in firsts[1:]), LAST_DAY]
    return list(zip(firsts, lasts, strict=True))


def stitch(parts: Sequence[Periods]) -> Periods:
    """Entries of adjacent windows, clipped periods joined again; by observation, then start."""
    rows = join(parts).sorted()
    if len(rows) == 0:
        return rows
    same = rows.value[1:] == rows.value[:-1]
    same |= np.isnan(rows.value[1:]) & np.isnan(rows.value[:-1])
    joined = same & (rows.observation[1:] == rows.observation[:-1]) & (rows.start[1:] == rows.end[:-1] + _DAY)
    is_first = np.concatenate([[True], ~joined])
    is_last = np.concatenate([~joined, [True]])
    return Periods(rows.observation[is_first], rows.start[is_first], rows.end[is_last], rows.value[is_first])


def with_withdrawals(rows: Periods, today: np.datetime64) -> Periods:
    """Entries (by observation, then start), and a missing value from each day on which a figure was withdrawn.

    A new base year, for example, leaves out the first decades for a while: FRED then ends a period and begins no other.
    An end on or after `today` is the edge of the request, not a withdrawal.
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
    return join([rows, left]).sorted()


def in_todays_unit(rows: Periods) -> tuple[Periods, list[tuple[np.datetime64, int]]]:
    """Entries (by observation, then start) with vintages in a former unit converted to today's.

    When FRED changes the unit of a series, for example from billions to millions, one day's vintage repeats every
    figure times a power of a thousand. The second result lists these days with the power of ten, newest first.
    """
    value, found = rows.value.copy(), sorted(_unit_changes(rows), reverse=True)
    for day, power in found:
        value[rows.start < day] *= 10.0**power
    return Periods(rows.observation, rows.start, rows.end, value), found


def _unit_changes(rows: Periods) -> list[tuple[np.datetime64, int]]:
    before, after = rows.value[:-1], rows.value[1:]
    comparable = (rows.observation[1:] == rows.observation[:-1]) & np.isfinite(before) & np.isfinite(after)
    comparable &= (before != 0) & (after != 0)
    ratio = np.log10(np.abs(np.where(comparable, after, 1.0) / np.where(comparable, before, 1.0)))
    power = np.round(ratio).astype("int64")
    is_step = comparable & np.isin(power, _STEPS) & (np.abs(ratio - power) < _STEP_TOLERANCE)
    found = []
    for day in np.unique(rows.start[1:][is_step]):
        on_day = comparable & (rows.start[1:] == day)
        stepped = is_step & on_day
        if stepped.sum() >= max(_STEP_ROWS, _STEP_SHARE * on_day.sum()) and len(set(power[stepped])) == 1:
            found.append((day, int(power[stepped][0])))
    return found


def publications(
    observations: Days, series: Series, release_dates: Days
) -> dict[np.datetime64, np.datetime64]:
    """Day of first publication by period stamp, for periods the release dates cover; {} for daily series.

    A release has several dates a period (GDP three a quarter, profits with the second), and FRED does not state which
    figures came on which. So a period gets the first date near its lag rule, and no date serves two periods: where two
    came at once, the later one is dated too late, not too early.
    """
    if series.frequency not in _EARLY or series.is_step or not len(release_dates):
        return {}
    stamps, dates = np.unique(observations), np.unique(release_dates)
    rule = first_publication(stamps, series, {})
    earliest = _earliest(stamps, series, dates)
    found, last = {}, dates[0]  # the first date only shows that the calendar had begun
    for stamp, early, by_rule in zip(stamps, earliest, rule, strict=True):
        if early < dates[0]:
            continue
        at = int(np.searchsorted(dates, max(early, last + _DAY)))
        if at < len(dates) and dates[at] <= by_rule + _LATEST:
            found[stamp] = last = dates[at]
    return found


def next_stamp(newest: dt.date, series: Series) -> np.datetime64:
    """Stamp of the period after the newest one in the archive; NaT for a daily series."""
    if series.frequency == "W":
        return np.datetime64(newest, "D") + np.timedelta64(7, "D")
    if series.frequency not in _MONTHS:
        return NAT
    return stamp_before(days(newest), -_MONTHS[series.frequency])[0]


def is_overdue(newest: dt.date, series: Series, today: dt.date) -> bool:
    """Whether the next period's figure should be published by the lag rule, but not for months already."""
    stamp = next_stamp(newest, series)
    if np.isnat(stamp) or series.is_step:
        return False
    due = first_publication(days(stamp), series, {})[0]
    return bool(due < np.datetime64(today, "D") <= due + _LATEST)


def is_daily(release_dates: Days) -> bool:
    """Whether a calendar has a date for nearly every working day, with figures or not."""
    return len(release_dates) > 1 and np.median(np.diff(np.unique(release_dates)).astype("int64")) < _DAILY


def expected_on(newest: dt.date, series: Series, release_dates: Days) -> np.datetime64:
    """Release date planned for the next period; NaT when there is none."""
    stamp, planned = days(next_stamp(newest, series)), np.unique(release_dates)
    planned = planned[planned >= _earliest(stamp, series, planned)[0]]
    limit = first_publication(stamp, series, {})[0] + _LATEST
    return planned[0] if len(planned) and planned[0] <= limit else NAT


def _earliest(stamps: Days, series: Series, release_dates: Days) -> Days:
    """The first day that may be each period's own release date."""
    rule = first_publication(stamps, series, {})
    gaps = np.diff(release_dates).astype("int64")
    is_frequent = len(gaps) > 0 and np.median(gaps) < _OFTEN * _PERIOD_DAYS[series.frequency]
    slack = np.timedelta64((_EARLY_OF_MANY if is_frequent else _EARLY)[series.frequency], "D")
    return np.maximum(rule - slack, period_end(stamps, series.frequency) + _DAY)
