"""FRED's vintages and release dates: parsing, clipped periods joined again, withdrawals, first publications.

Every observation has one row per period in which its value was the known one. A request for a window of real time
clips these periods to it.
"""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import numpy as np
import pandas as pd

from assets.catalog.models import Series
from assets.compute.calendar import NAT, Days, days, first_publication, period_end, stamp_before
from assets.sources.parse import Unusable, is_iso_date, is_number
from assets.sources.protocol import observations_frame

FIRST_DAY = "1776-07-04"  # the earliest real-time date FRED accepts
LAST_DAY = "9999-12-31"  # the end of a period that is still open
MISSING = "."
_DAY = np.timedelta64(1, "D")
_ORDER = ["observation_date", "realtime_start"]
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
        if not is_iso_date(text):
            raise Unusable("not_a_date", f"{text[:40]!r} among the dates is no date")
    return np.array(texts, dtype="datetime64[D]")


def windows(vintage_dates: Days, since: str, size: int) -> list[tuple[str, str]]:
    """Real-time windows of at most `size` vintage dates each, without gap or overlap, from `since` to the end."""
    later = np.unique(vintage_dates[vintage_dates > np.datetime64(since, "D")])
    firsts = [since, *(str(day) for day in later[size - 1 :: size])]
    lasts = [*(str(np.datetime64(first, "D") - _DAY) for first in firsts[1:]), LAST_DAY]
    return list(zip(firsts, lasts, strict=True))


def stitch(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows of adjacent windows, clipped periods joined again; by observation, then start."""
    rows = pd.concat(parts).sort_values(_ORDER, ignore_index=True)
    before = rows.shift()
    is_same = (rows["value"] == before["value"]) | (rows["value"].isna() & before["value"].isna())
    is_same &= rows["observation_date"] == before["observation_date"]
    is_joined = is_same & (rows["realtime_start"] == before["realtime_end"] + _DAY)
    is_last = ~is_joined.shift(-1, fill_value=False)
    return rows[~is_joined].assign(realtime_end=rows.loc[is_last, "realtime_end"].to_numpy())


def with_withdrawals(rows: pd.DataFrame, today: dt.date) -> pd.DataFrame:
    """Rows (by observation, then start), and a missing value from each day on which a figure was withdrawn.

    A new base year, for example, leaves out the first decades for a while: FRED then ends a period and begins no other.
    An end on or after `today` is the edge of the request, not a withdrawal.
    """
    gone = rows["realtime_end"] + _DAY
    following = rows.groupby("observation_date")["realtime_start"].shift(-1)
    is_withdrawn = (gone <= pd.Timestamp(today)) & ~(following <= gone) & rows["value"].notna()
    end = (following - _DAY).fillna(pd.Timestamp(LAST_DAY))
    left = rows.assign(realtime_start=gone, realtime_end=end, value=np.nan)[is_withdrawn]
    return pd.concat([rows, left]).sort_values(_ORDER, ignore_index=True)


def in_todays_unit(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[pd.Timestamp, int]]]:
    """Rows (by observation, then start) with vintages in a former unit converted to today's.

    When FRED changes the unit of a series, for example from billions to millions, one day's vintage repeats every
    figure times a power of a thousand. The second result lists these days with the power of ten, newest first.
    """
    before, after = rows.groupby("observation_date")["value"].shift(), rows["value"]
    is_comparable = before.notna() & after.notna() & (before != 0) & (after != 0)
    ratio = pd.Series(np.log10((after / before)[is_comparable].abs()))
    power = ratio.round()
    is_step = power.isin(_STEPS) & ((ratio - power).abs() < _STEP_TOLERANCE)
    found = []
    for day, steps in power.where(is_step).groupby(rows["realtime_start"]):
        if steps.count() >= max(_STEP_ROWS, _STEP_SHARE * len(steps)) and steps.nunique() == 1:
            found.append((day, int(steps.max())))
    value, newest_first = after.copy(), found[::-1]
    for day, exponent in newest_first:
        value[rows["realtime_start"] < day] *= 10.0**exponent
    return rows.assign(value=value), newest_first


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
