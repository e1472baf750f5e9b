"""Which rows are provisional, and which month-ends a run may freeze: days are counted by the real clock."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.grid import Grid, build_grid, freezable, row_kinds

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


def test_a_run_that_looks_back_freezes_nothing_it_did_not_live_through() -> None:
    """The clock decides, not the run date: a backdated run, or a clock that stood still, is no witness."""
    assert frozen_by("2026-04-08", "2026-05-20") == []
    assert frozen_by("2026-04-03", "2026-04-08") == []


def test_a_frozen_month_end_is_not_frozen_again() -> None:
    assert frozen_by("2026-04-08", "2026-04-08", ("2026-02-28", "2026-03-31")) == []
