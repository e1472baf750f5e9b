"""Calendar arithmetic and kinds of rows: off by one day here is a look-ahead everywhere."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.calendar import (
    days,
    first_publication,
    month_ends,
    months_before,
    period_end,
    stamp_before,
)
from assets.compute.grid import Grid, build_grid, freezable, row_kinds

SERIES = load_catalog().series


def texts(dates: np.ndarray) -> list[str]:
    return [str(day) for day in dates]


@pytest.mark.parametrize(
    ("observation", "frequency", "end"),
    [
        ("2025-11-04", "D", "2025-11-04"),
        ("2025-10-29", "W", "2025-10-29"),
        ("2025-02-01", "M", "2025-02-28"),
        ("2024-02-01", "M", "2024-02-29"),
        ("2025-10-31", "M", "2025-10-31"),  # the statement of the public debt is stamped on its last day
        ("2025-07-01", "Q", "2025-09-30"),
        ("2025-10-01", "Q", "2025-12-31"),
        ("1969-10-01", "Q", "1969-12-31"),  # before the epoch
    ],
)
def test_period_end_is_the_last_day_of_the_period_stamped(observation: str, frequency: str, end: str) -> None:
    assert texts(period_end(days(observation), frequency)) == [end]


@pytest.mark.parametrize(
    ("date", "months", "earlier"),
    [
        ("2025-08-31", 6, "2025-02-28"),
        ("2025-02-28", 6, "2024-08-31"),  # a month-end answers to a month-end
        ("2024-02-29", 12, "2023-02-28"),
        ("2025-11-05", 6, "2025-05-05"),
        ("2025-08-30", 6, "2025-02-28"),  # a day February does not have
        ("2025-01-15", 13, "2023-12-15"),
    ],
)
def test_months_before_maps_a_month_end_to_a_month_end(date: str, months: int, earlier: str) -> None:
    assert texts(months_before(days(date), months)) == [earlier]


@pytest.mark.parametrize(
    ("stamp", "months", "earlier"),
    [
        ("2025-10-01", 12, "2024-10-01"),
        ("2025-03-31", 12, "2024-03-31"),
        ("2025-02-28", 12, "2024-02-29"),
        ("2025-04-30", 1, "2025-03-31"),
        ("2025-01-01", 3, "2024-10-01"),
    ],
)
def test_stamp_before_keeps_the_kind_of_stamp(stamp: str, months: int, earlier: str) -> None:
    assert texts(stamp_before(days(stamp), months)) == [earlier]


def test_month_ends_leave_out_a_month_that_is_not_over() -> None:
    ends = month_ends(np.datetime64("2024-01-31", "D"), np.datetime64("2024-03-30", "D"))
    assert texts(ends) == ["2024-01-31", "2024-02-29"]


@pytest.mark.parametrize(
    ("series_id", "observation", "published"),
    [
        ("DGS10", "2025-11-04", "2025-11-05"),
        ("GS10", "2025-10-01", "2025-10-31"),  # an average of quotes everybody had seen
        ("CP", "2025-04-01", "2025-08-29"),
        ("CP", "2023-10-01", "2024-03-30"),  # fourth quarter: 90 days, the annual accounts take longer
        ("DFEDTARU", "2024-09-19", "2024-09-19"),
    ],
)
def test_first_publication_by_lag_rule(series_id: str, observation: str, published: str) -> None:
    assert texts(first_publication(days(observation), SERIES[series_id], {})) == [published]


@pytest.mark.parametrize("released", ["2013-10-22", "2013-10-05"])
def test_a_release_date_replaces_the_lag_rule_whichever_is_later(released: str) -> None:
    september = np.datetime64("2013-09-01", "D")
    dates = first_publication(
        days(["2013-09-01", "2013-08-01"]), SERIES["UNRATE"], {september: np.datetime64(released, "D")}
    )
    assert texts(dates) == [released, "2013-09-10"], "and August's is untouched"


RULES = load_catalog().method.row_kinds
MARCH = dt.date(2026, 3, 31)


def grid(run_date: str) -> Grid:
    return build_grid(np.datetime64("2026-01-31"), np.datetime64(run_date))


def frozen_by(run_date: str, today: str, known: tuple[str, ...] = ()) -> list[dt.date]:
    days = freezable(grid(run_date), np.datetime64(today), [np.datetime64(day) for day in known], RULES)
    return list(days.tolist())


@pytest.mark.parametrize(
    ("run_date", "kinds"),
    [
        ("2026-03-31", ["backfilled", "backfilled", "provisional"]),
        ("2026-04-05", ["backfilled", "backfilled", "provisional", "provisional"]),
        ("2026-04-06", ["backfilled", "backfilled", "backfilled", "provisional"]),
    ],
)
def test_a_month_end_is_provisional_for_five_days(run_date: str, kinds: list[str]) -> None:
    assert list(row_kinds(grid(run_date), RULES)) == kinds


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-04-05", []), ("2026-04-06", [MARCH]), ("2026-04-12", [MARCH]), ("2026-04-13", [])],
)
def test_a_month_end_is_frozen_from_the_sixth_to_the_twelfth_day(day: str, expected: list[dt.date]) -> None:
    assert frozen_by(day, day) == expected


def test_a_backdated_run_freezes_nothing() -> None:
    """The clock decides, not the run date: a backdated run, or a clock that is behind, freezes nothing."""
    assert frozen_by("2026-04-08", "2026-05-20") == []
    assert frozen_by("2026-04-03", "2026-04-08") == []
    assert frozen_by("2026-04-08", "2026-04-08", ("2026-02-28", "2026-03-31")) == [], "and nothing twice"
