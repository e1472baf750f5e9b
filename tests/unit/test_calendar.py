"""Calendar arithmetic and kinds of rows: off by one day here is a look-ahead everywhere."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.calendar import (
    days,
    first_publication,
    months_before,
)
from assets.compute.grid import Grid, build_grid, freezable, row_kinds

SERIES = load_catalog().series


def texts(dates: np.ndarray) -> list[str]:
    return [str(day) for day in dates]


def test_months_before_maps_a_month_end_to_a_month_end() -> None:
    dates = days(["2025-08-31", "2025-02-28", "2025-11-05", "2025-08-30"])  # the last: February has no 30th
    assert texts(months_before(dates, 6)) == ["2025-02-28", "2024-08-31", "2025-05-05", "2025-02-28"]
    assert texts(months_before(days("2024-02-29"), 12)) == ["2023-02-28"]
    assert texts(months_before(days("2025-01-15"), 13)) == ["2023-12-15"]


def test_profits_of_a_fourth_quarter_come_out_a_month_later() -> None:
    """Dated 60 days after December they would be known before the annual accounts."""
    second_and_fourth = first_publication(days(["2025-04-01", "2023-10-01"]), SERIES["CP"], {})
    assert texts(second_and_fourth) == ["2025-08-29", "2024-03-30"]


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
