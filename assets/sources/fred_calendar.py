"""When a figure came out, and when the next one should have: FRED's release dates laid beside the lag rule.

Belongs here: pure matching of periods with release dates. Does not belong here: asking for the dates
(`fred.py`), the lag rule itself (`compute/calendar.py`).

A release has several dates a period (GDP three a quarter, profits with the second), and says not which figures
came on which. So a period takes the first date near its own lag rule, and no date serves two periods: where
two came at once, the later one is dated too late rather than too early.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from assets.catalog.models import Series
from assets.compute.calendar import NAT, Days, days, first_publication, period_end, stamp_before

# Days before the lag rule's date from which a release date may be the period's own.
_EARLY = {"W": 3, "M": 10, "Q": 10}
# A release with several days a period (GDP: three a quarter; a weekly one with a monthly figure): which of them brought
# the figure is not said, and a day too early would be hindsight.
_EARLY_OF_MANY = {"W": 0, "M": 0, "Q": 5}
_OFTEN, _PERIOD_DAYS = 0.6, {"W": 7, "M": 30, "Q": 91}
_MONTHS = {"M": 1, "Q": 3}
_LATEST = np.timedelta64(150, "D")  # after it, the date belongs to something else
_DAY = np.timedelta64(1, "D")


def publications(
    observations: Days, series: Series, release_dates: Days
) -> dict[np.datetime64, np.datetime64]:
    """Day of first publication by period stamp, for periods the release dates reach; {} for daily series."""
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
    """Stamp of the period after the newest one held; NaT for a daily series."""
    if series.frequency == "W":
        return np.datetime64(newest, "D") + np.timedelta64(7, "D")
    if series.frequency not in _MONTHS:
        return NAT
    return stamp_before(days(newest), -_MONTHS[series.frequency])[0]


def is_overdue(newest: dt.date, series: Series, today: dt.date) -> bool:
    """Whether the period after the newest one held should be out by the lag rule, and not for months already."""
    stamp = next_stamp(newest, series)
    if np.isnat(stamp) or series.is_step:
        return False
    due = first_publication(days(stamp), series, {})[0]
    return bool(due < np.datetime64(today, "D") <= due + _LATEST)


def expected_on(newest: dt.date, series: Series, release_dates: Days) -> np.datetime64:
    """Release date planned for the period after the newest one held; NaT when there is none."""
    stamp = days(next_stamp(newest, series))
    planned = np.unique(release_dates)
    planned = planned[planned >= _earliest(stamp, series, planned)[0]]
    limit = first_publication(stamp, series, {})[0] + _LATEST
    return planned[0] if len(planned) and planned[0] <= limit else NAT


def _earliest(stamps: Days, series: Series, release_dates: Days) -> Days:
    """First day that may be each period's own: a release with several days a period leaves little room before it."""
    rule = first_publication(stamps, series, {})
    gaps = np.diff(release_dates).astype("int64")
    is_frequent = len(gaps) > 0 and np.median(gaps) < _OFTEN * _PERIOD_DAYS[series.frequency]
    slack = np.timedelta64((_EARLY_OF_MANY if is_frequent else _EARLY)[series.frequency], "D")
    return np.maximum(rule - slack, period_end(stamps, series.frequency) + _DAY)
