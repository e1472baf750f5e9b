"""Distances are true: the required value passes the limit, and the next smaller move does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.catalog.method import Percentile
from assets.compute.conditions import percentile
from assets.compute.diagnostics.distance import RankInverse
from assets.compute.reading import ON_BASES
from assets.compute.regime import build_regime
from assets.compute.state import Threshold, thresholds
from tests.helpers import Computed, on_sample

STEP = 1e-6


def with_value(computed: Computed, column: str, at: int, value: float) -> dict[str, np.ndarray]:
    """All scores with one figure of one date replaced, computed from the beginning."""
    readings = dict(computed.readings)
    used = readings[column].series_ids[at]
    for name in (column, *ON_BASES.get(column, ())):  # the row's own basis moves with it
        if readings[name].series_ids[at] == used:
            moved = readings[name].value.copy()
            moved[at] = value
            readings[name] = replace(readings[name], value=moved)
    return build_regime(readings, computed.grid, computed.catalog).scores.measures


def picked_of(reachability: str, every: int) -> Iterator[tuple[Any, int, str, Threshold]]:
    """Rows of each threshold and component, each with its position, the component's column and the threshold."""
    computed, distances = on_sample(), on_sample().run.table("distance_to_flip")
    columns = {c.name: c.column for x in computed.regime.conditions.values() for c in x.components}
    limits = {t.name: t for t in thresholds(computed.catalog.method.state)}
    chosen = distances[(distances["reachability"] == reachability) & (distances["condition"] != "stance")]
    picked = chosen.groupby(["threshold", "component"], sort=True).nth(-1)[::every]
    assert len(picked) > 15
    for row in picked.itertuples():
        at = int(np.searchsorted(computed.grid.as_of, np.datetime64(row.as_of_date, "D")))
        yield row, at, columns[row.component], limits[row.threshold]


def test_the_required_value_passes_the_limit_and_a_smaller_move_does_not() -> None:
    for row, at, column, limit in picked_of("reachable", 2):
        after = with_value(on_sample(), column, at, row.required_value)[row.measure][at]
        assert limit.is_met(after), row
        less = row.required_value - np.sign(row.required_move) * 2 * STEP
        assert not limit.is_met(with_value(on_sample(), column, at, less)[row.measure][at]), row


def test_where_even_the_extreme_value_does_not_suffice_it_is_called_unreachable() -> None:
    for row, at, column, limit in picked_of("unreachable", 3):
        highest = 0.0 if row.component == "equity_drawdown" else 1e5  # no price is above its high
        for extreme in (-1e5, highest):
            after = with_value(on_sample(), column, at, extreme)[row.measure][at]
            assert not limit.is_met(after), row


def test_every_state_has_the_thresholds_that_lead_out_of_it() -> None:
    distances = on_sample().run.table("distance_to_flip")
    state = on_sample().frame["condition_state"]
    flips = distances[distances["condition"] != "stance"].groupby("as_of_date")["flip"].agg(set)
    expected = {
        "bubble": {"leave_bubble"},
        "depression": {"leave_depression"},
        "mid_cycle": {"enter_bubble", "enter_depression"},
    }
    assert all(found == expected[state[day]] for day, found in flips.items())
    assert set(flips.index) == set(state.index[state != "indeterminate"])


def test_a_rate_that_rests_turns_the_stance_by_itself_on_its_lapse_date() -> None:
    """In November 2025 the run-off was over and nothing announced: the cuts alone made the stance, till March."""
    distances = on_sample().run.table("distance_to_flip")
    rest = distances[distances["flip"] == "rate_to_unchanged"].set_index("as_of_date")
    assert rest.loc["2025-11-30", ["leads_to", "lapse_date"]].tolist() == [
        "neutral",
        pd.Timestamp("2026-04-30"),
    ]
    assert distances.loc[distances["flip"] != "rate_to_unchanged", "lapse_date"].isna().all()
    rate = on_sample().tables["real_yields"].frame.set_index("as_of_date")["policy_rate_pct"]
    direction = on_sample().frame["rate_direction"]
    kept = 0
    for day, lapse in rest["lapse_date"].items():
        until = rate[day:lapse]
        if lapse in rate.index and (until == rate[day]).all():  # the rate was stored, and so it came
            assert direction[lapse] == 0 and (direction[day:lapse].iloc[:-1] != 0).all(), day
            kept += 1
    assert kept > 5


values = st.lists(st.integers(-3, 3).map(lambda n: n / 2), min_size=2, max_size=8)


@given(values, st.integers(1, 19).map(lambda n: n / 20))
def test_the_inverse_of_a_rank_is_the_nearest_value_that_has_it(history: list[float], wanted: float) -> None:
    value = np.array(history)
    month_end, rules = np.ones(len(value), dtype=bool), Percentile(minimum_history=1, value_decimals=6)
    inverse = RankInverse(value, month_end, 6)
    for found, side in (
        (inverse.value_at_least(np.full(len(value), wanted))[-1], 1.0),
        (inverse.value_at_most(np.full(len(value), wanted))[-1], -1.0),
    ):

        def rank(x: float) -> float:
            return float(percentile(np.append(value[:-1], x), month_end, rules)[-1])

        if np.isnan(found):
            assert side * (rank(side * 1e6) - wanted) < 0
        elif np.isinf(found):
            assert side * (rank(-side * 1e6) - wanted) >= 0
        else:
            assert side * (rank(found) - wanted) >= -1e-9
            assert side * (rank(found - side * 2 * STEP) - wanted) < 0


def test_the_inverse_reads_the_history_of_the_basis_a_date_uses() -> None:
    """Two bases a world apart; the last date uses the second, and a rank of one half lies in the middle of that one."""
    past = np.stack([np.array([1.0, 2.0, 3.0, 9.0])] * 3 + [np.array([100.0, 200.0, 300.0, 400.0])])
    inverse = RankInverse(past, np.ones(4, dtype=bool), 6)
    assert inverse.value_at_least(np.full(4, 0.5))[-1] == pytest.approx(200.0 + STEP)
    assert inverse.rank_of(np.full(4, 200.0))[-1] == pytest.approx(0.5)
