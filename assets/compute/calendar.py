"""Calendar arithmetic on whole days: month-ends, period ends, first publication by lag rule."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from assets.catalog.models import ReleaseDelay, Series

Days = npt.NDArray[np.datetime64]
NAT = np.datetime64("NaT", "D")


def days(values: object) -> Days:
    """Any date-like array or scalar as a one-dimensional `datetime64[D]` array."""
    return np.atleast_1d(np.asarray(values, dtype="datetime64[D]"))


def month_end(dates: Days) -> Days:
    """Last calendar day of each date's month."""
    return (dates.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1


def last_month_end(dates: Days) -> Days:
    """The last month-end on or before each date."""
    return (dates + 1).astype("datetime64[M]").astype("datetime64[D]") - 1


def month_end_after(dates: Days, n: int) -> Days:
    """The `n`-th month-end strictly after each date."""
    return (last_month_end(dates).astype("datetime64[M]") + (n + 1)).astype("datetime64[D]") - 1


def month_ends(start: np.datetime64, end: np.datetime64) -> Days:
    """Every month-end from `start` to `end`, both included."""
    ends = month_end(np.arange(start.astype("datetime64[M]"), end.astype("datetime64[M]") + 1))
    return ends[(ends >= start) & (ends <= end)]


def months_before(dates: Days, months: int) -> Days:
    """Same calendar day `months` earlier; a month-end maps to a month-end, a missing day to the last of its month."""
    month = dates.astype("datetime64[M]")
    target = (month - months).astype("datetime64[D]")
    same_day = np.minimum(target + (dates - month.astype("datetime64[D]")), month_end(target))
    return np.where(dates == month_end(dates), month_end(target), same_day)


def stamp_before(observations: Days, months: int) -> Days:
    """The stamp of the period `months` earlier, whether a publisher stamps the first or the last day of a period."""
    target = (observations.astype("datetime64[M]") - months).astype("datetime64[D]")
    return np.where(observations == month_end(observations), month_end(target), target)


def period_end(observations: Days, frequency: str) -> Days:
    """Last day of the period an observation describes; daily and weekly figures are stamped on it already."""
    if frequency in ("D", "W"):
        return observations
    length = 3 if frequency == "Q" else 1
    months = observations.astype("datetime64[M]").astype("int64")
    end_month = (months // length + 1) * length
    return end_month.astype("datetime64[M]").astype("datetime64[D]") - 1


def released_on(delays: Iterable[ReleaseDelay], series_id: str) -> dict[np.datetime64, np.datetime64]:
    """First publications of one series that replace the lag rule, by the period's stamp; NaT for never."""
    return {
        np.datetime64(delay.observation_date, "D"): NAT
        if delay.never
        else np.datetime64(delay.released_on, "D")
        for delay in delays
        if delay.series_id == series_id
    }


def first_publication(
    observations: Days, series: Series, released_on: Mapping[np.datetime64, np.datetime64]
) -> Days:
    """First day on which each observation was public, by lag rule.

    `released_on` maps a period's stamp to the day it really came out (shutdowns); that date replaces the rule.
    """
    end = period_end(observations, series.frequency)
    published: Days = end + np.timedelta64(series.release_lag_days, "D")
    for month, lag in series.release_lag_by_month:
        ends_in_it = end.astype("datetime64[M]").astype("int64") % 12 == month - 1
        published[ends_in_it] = end[ends_in_it] + np.timedelta64(lag, "D")
    for stamp, day in released_on.items():
        published[observations == stamp] = day
    return published


def value_on(dates: Days, values: np.ndarray, wanted: Days) -> np.ndarray:
    """Values, one for each of `dates` (ascending), on the dates wanted; NaN on any other date."""
    if not len(dates):
        return np.full(len(wanted), np.nan)
    at = np.minimum(np.searchsorted(dates, wanted), len(dates) - 1)
    return np.where(dates[at] == wanted, values[at], np.nan)


def weekday(dates: Days) -> np.ndarray:
    """0 for Monday to 6 for Sunday."""
    return (dates.astype("int64") + 3) % 7  # 1970-01-01 was a Thursday


def previous_month_end(is_month_end: np.ndarray) -> np.ndarray:
    """Position of the month-end before each date; -1 for none."""
    return np.concatenate(
        [[-1], np.maximum.accumulate(np.where(is_month_end, np.arange(len(is_month_end)), -1))[:-1]]
    )
