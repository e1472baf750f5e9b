"""`event_study`: changes by hand, placebos without a start, and why there is no change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from assets.compute.calendar import month_ends
from assets.compute.diagnostics.event_study import Measure
from assets.compute.reading import texts
from tests.helpers import on_sample, reading
from tests.plain_method import known

ENDS = month_ends(np.datetime64("2020-01-31"), np.datetime64("2020-06-30"))
STARTS = ["2008-11-25", "2010-11-03", "2012-09-13", "2019-10-11", "2020-03-15", "2025-12-10"]
Plain = dict[pd.Timestamp, float]


def _indexed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index(["measure", "horizon_months", "phase"]).sort_index()


@pytest.fixture(scope="module")
def studied() -> pd.DataFrame:
    return _indexed(on_sample().run.table("event_study"))


def measured(dated: str, basis: list[str], values: list[float], unit: str = "percent") -> Measure:
    """A figure whose price is always of the month `dated`, or of its own month."""
    own = ENDS.astype("datetime64[M]").astype("datetime64[D]")
    days = own if dated == "own" else np.full(len(ENDS), np.datetime64(dated, "D"))
    return Measure("earnings_multiple", unit, reading(values), days, np.array(basis, dtype=object))


def test_why_there_is_no_change() -> None:
    nan = float("nan")
    _, reason = measured("own", ["a", "a", "b", "b", "b", "b"], [1.0, nan, 1.0, 1.0, 1.0, 1.0]).changes(
        ENDS, 1
    )
    assert list(reason[:4]) == ["basis_changed", "stale", None, None]
    _, reason = measured("2020-02-01", ["a"] * 6, [1.0] * 6).changes(ENDS, 1)
    assert reason[0] == "no_later_figure", "February is the month of the announcement"
    assert texts(reason == "no_later_figure", 1, 0)[:4].all()


def plain_real() -> Plain:
    """TIPS yield known on every month-end: last quote, the month's average before quotes are held."""
    found = {}
    for end in pd.date_range("2003-01-31", "2026-09-30", freq="ME"):
        quotes = known("DFII10", end)
        found[end] = quotes.iloc[-1] if len(quotes) else known("FII10", end).iloc[-1]
    return found


def plain_multiple() -> Plain:
    """Share price index over profits, as known on every month-end while the index is the newest price."""
    found = {}
    for end in pd.date_range("1985-01-31", "2026-05-31", freq="ME"):
        found[end] = known("SPASTT01USM661N", end).iloc[-1] / known("CP", end).iloc[-1]
    return found


def has_start(first: pd.Timestamp, last: pd.Timestamp) -> bool:
    return any(first < pd.Timestamp(day) <= last for day in STARTS)


@pytest.mark.parametrize("measure", ["real_10y", "earnings_multiple"])
@pytest.mark.parametrize("horizon", [1, 3])
def test_changes_and_ranks_are_those_of_plain_loops(
    studied: pd.DataFrame, measure: str, horizon: int
) -> None:
    level = plain_real() if measure == "real_10y" else plain_multiple()
    changes = {}
    for end, value in level.items():
        later = end + pd.offsets.MonthEnd(horizon + 1)
        priced = known("SPASTT01USM661N" if measure == "earnings_multiple" else "GS10", later).index[-1]
        if later in level and priced > end + pd.offsets.MonthEnd(1):
            changes[end] = (
                level[later] - value if measure == "real_10y" else 100.0 * (level[later] / value - 1.0)
            )
    others = [
        round(change, 6)
        for end, change in changes.items()
        if not has_start(end, end + pd.offsets.MonthEnd(horizon + 1))
    ]
    rows = studied.loc[(measure, horizon)].sort_values("announced_on")
    assert [str(day)[:10] for day in rows["announced_on"]] == STARTS
    for row in rows.itertuples():
        before = pd.Timestamp(row.announced_on) - pd.offsets.MonthEnd(1)
        own = round(changes[before], 6)
        assert (row.before_date, row.placebo_count) == (before, len(others))
        assert row.change == pytest.approx(changes[before], abs=1e-9)
        below = sum(x < own for x in others) + 0.5 * sum(x == own for x in others)
        assert row.change_rank == pytest.approx(below / len(others))


def test_an_earlier_run_has_the_same_changes_and_only_the_starts_announced_by_then(
    studied: pd.DataFrame,
) -> None:
    early = _indexed(on_sample("2025-11-05").run.table("event_study"))
    assert "reserves_2025" not in early.index.get_level_values("phase")
    pd.testing.assert_series_equal(early["change"], studied.loc[early.index, "change"])
    assert on_sample("1999-12-31").run.table("event_study").empty
