"""Why score and label moved, what they owe to parameters and weights, and how far another label is: known answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.catalog.method import Percentile
from assets.compute.conditions import Block, Condition, percentile
from assets.compute.diagnostics.attribution import regime_changes
from assets.compute.diagnostics.distance import RankInverse
from assets.compute.reading import ON_BASES
from assets.compute.regime import build_regime, grid_states, score_range
from assets.compute.state import Threshold, thresholds
from tests.helpers import Computed, on_sample

EXACT = 1e-12
CODES = {"mid_cycle": 0, "bubble": 1, "depression": 2, "indeterminate": 3}


def changes() -> pd.DataFrame:
    return on_sample().run.table("regime_changes").set_index("as_of_date")


def test_no_date_is_explained_with_a_rest() -> None:
    attribution = on_sample().run.table("score_attribution")
    score = on_sample().frame["bubble_score"]
    by_date = attribution.groupby("as_of_date")
    np.testing.assert_allclose(
        by_date["contribution_change"].sum(), score.diff().reindex(by_date.groups.keys()), atol=EXACT, rtol=0
    )
    assert len(by_date) == score.diff().notna().sum() > 370
    rest = attribution["contribution_change"] - attribution["score_effect"] - attribution["weight_effect"]
    assert rest.abs().max() < EXACT


def test_a_vanished_input_is_an_effect_of_weights_and_not_of_scores() -> None:
    """The sample has no bank credit after 10 June 2026; the other blocks of credit then weigh more."""
    attribution = on_sample().run.table("score_attribution")
    gone = attribution[attribution["component"] == "real_bank_credit"].set_index("as_of_date")
    last = gone.index[(gone["contribution"] == 0) & (gone["contribution_before"] > 0)]
    assert len(last) > 0
    assert (gone.loc[last, "score_effect"] == 0).all()
    assert (gone.loc[last, "weight_effect"] == -gone.loc[last, "contribution_before"]).all()


@pytest.mark.parametrize(
    ("month_end", "cause", "announced"),
    [
        ("2010-11-30", "balance_sheet", "2010-11-03"),  # QE2
        ("2010-03-31", "balance_sheet", "2009-11-04"),  # LSAP1 ends, announced more than 90 days before
        ("2012-09-30", "balance_sheet", "2012-09-13"),  # QE3
        ("2025-10-31", "balance_sheet", "2025-10-29"),  # the end of the run-off the post reacts to
        ("2022-03-31", "rate", None),  # the first increase
    ],
)
def test_a_change_of_stance_names_the_decision(month_end: str, cause: str, announced: str | None) -> None:
    row = changes().loc[month_end]
    assert row["stance_cause"] == cause
    assert (
        pd.isna(row["policy_event_date"])
        if announced is None
        else row["policy_event_date"] == pd.Timestamp(announced)
    )


def test_a_component_of_another_condition_is_never_named_for_a_threshold_of_valuation() -> None:
    of_valuation = changes()[
        changes()["thresholds_crossed"].str.fullmatch(r"valuation_score [^;]*", na=False)
    ]
    assert len(of_valuation) >= 4
    assert set(of_valuation["component_condition"]) == {"valuation"}


def test_the_sign_that_moved_is_named_where_only_the_colder_of_two_counts() -> None:
    """In March 2020 claims rose and took over from the Sahm gap, which stayed where it was."""
    assert changes().loc["2020-03-31", "component"] == "claims_change"


def test_a_live_label_no_threshold_explains_has_no_component() -> None:
    """The rows about a live one healed, and its own measures pass no threshold seen from theirs."""
    computed = on_sample()
    regime = computed.regime
    inside = np.flatnonzero(regime.states.state == "bubble")[3]
    state, label = regime.states.state.copy(), regime.label.copy()
    state[inside], label[inside] = "mid_cycle", "stimulus_mid_cycle"
    live = replace(regime, states=replace(regime.states, state=state), label=label)
    found = regime_changes(live).set_index("as_of_date")
    row = found.loc[pd.Timestamp(regime.grid.as_of[inside])]
    assert row["condition_state"] == "mid_cycle" and row["changed_part"] in ("condition", "both")
    assert row[["component", "thresholds_crossed", "compared_with_date"]].isna().all()
    assert (found["component"].isna() == found["thresholds_crossed"].isna()).all()


def test_sensitivity_is_a_count_of_pairs() -> None:
    """Counted once more, pair by pair, on the month-end on which confirmation matters most."""
    sensitivity, codes = on_sample().run.table("parameter_sensitivity"), grid_states(on_sample().regime)
    of_confirmation = sensitivity[sensitivity["parameter"] == "confirmation_months"]
    day = of_confirmation.loc[of_confirmation["disagreement_share"].idxmax(), "as_of_date"]
    row = codes[list(on_sample().frame.index).index(day)].reshape(5 * 5 * 5, 3)
    pairs = [(a[i] != a[j]) for a in row for i in range(3) for j in range(i)]
    found = of_confirmation.set_index("as_of_date").loc[day, "disagreement_share"]
    assert found == pytest.approx(np.mean(pairs))
    assert found > 0.3


def _first(conditions: Mapping[str, Condition], rows: int) -> dict[str, Condition]:
    def blocks(condition: Condition) -> list[Block]:
        return [
            replace(b, components=[replace(c, score=c.score[:rows]) for c in b.components])
            for b in condition.blocks
        ]

    return {n: replace(c, blocks=blocks(c), score=c.score[:rows]) for n, c in conditions.items()}


def test_the_range_over_weights_holds_the_score_and_no_later_month_changes_its_last_digit() -> None:
    """Published rows are compared to the bit, and a product of matrices rounds by its own width."""
    computed = on_sample()
    conditions, method = computed.regime.conditions, computed.catalog.method
    low, high = score_range(conditions, method)
    score = computed.regime.bubble_score
    scored = ~np.isnan(score)
    assert np.array_equal(scored, ~np.isnan(low)) and ((low < score) & (score < high))[scored].all()
    for rows in range(len(score) - 5, len(score)):
        for found, expected in zip(score_range(_first(conditions, rows), method), (low, high), strict=True):
            np.testing.assert_array_equal(found, expected[:rows])


def test_effective_weights_add_up_and_are_those_of_plain_pandas() -> None:
    computed, frame = on_sample(), on_sample().run.table("effective_weights")
    sums = frame.groupby(["era", "level"])[["nominal_weight", "effective_weight", "covariance_share"]].sum()
    np.testing.assert_allclose(sums.to_numpy(), 1.0, atol=1e-9)
    gap = computed.catalog.method.robustness.effective_weight_gap
    assert (frame["is_flagged"] == (frame["weight_difference"].abs() > gap)).all()
    recent = frame[(frame["era"] == "from_2020-03") & (frame["level"] == "condition")].set_index("item")
    scores = computed.frame["2020-03-31":][["valuation_score", "economy_score", "credit_score"]]
    plain = scores.corrwith(computed.frame["2020-03-31":]["bubble_score"]) ** 2
    assert list(recent["effective_weight"]) == pytest.approx(list(plain / plain.sum()), abs=1e-9)


def test_the_grid_has_375_variants_and_the_method_is_one_of_them() -> None:
    computed, codes = on_sample(), grid_states(on_sample().regime)
    method, r = computed.catalog.method, computed.catalog.method.robustness
    values = (r.threshold_shifts, r.valuation_rank_shares, r.spread_weights, r.confirmation_months)
    own = (0.0, method.valuation.weight_ranks, method.credit.weight_spreads, method.state.confirmation_months)
    assert codes.shape == (len(computed.grid), 375)
    states = codes[:, list(product(*values)).index(own)]
    assert states.tolist() == [CODES[state] for state in computed.frame["condition_state"]]


# ---- how far to another label

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
