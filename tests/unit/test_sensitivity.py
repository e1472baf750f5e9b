"""What depends on the parameters and weights of the method: known answers, on the sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from assets.compute.conditions import Block, Condition
from assets.compute.robustness import grid_states, score_range
from tests.helpers import on_sample


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


def test_the_range_over_weights_is_seeded_and_holds_the_score() -> None:
    computed = on_sample()
    conditions, method = computed.regime.conditions, computed.catalog.method
    low, high = score_range(conditions, method)
    again, _ = score_range(conditions, method)
    np.testing.assert_array_equal(low, again)
    score = computed.regime.bubble_score
    scored = ~np.isnan(score)
    assert np.array_equal(scored, ~np.isnan(low))
    assert ((low < score) & (score < high))[scored].all()


def test_no_later_month_changes_the_last_digit_of_an_earlier_range() -> None:
    """Published rows are compared to the bit, and a product of matrices rounds by its own width."""
    computed = on_sample()
    conditions, method = computed.regime.conditions, computed.catalog.method
    full = score_range(conditions, method)
    for rows in range(len(computed.frame) - 5, len(computed.frame)):
        for found, expected in zip(score_range(_first(conditions, rows), method), full, strict=True):
            np.testing.assert_array_equal(found, expected[:rows])


def _first(conditions: Mapping[str, Condition], rows: int) -> dict[str, Condition]:
    def blocks(condition: Condition) -> list[Block]:
        return [
            replace(b, components=[replace(c, score=c.score[:rows]) for c in b.components])
            for b in condition.blocks
        ]

    return {n: replace(c, blocks=blocks(c), score=c.score[:rows]) for n, c in conditions.items()}


def test_effective_weights_add_up_and_flag_what_differs() -> None:
    computed, frame = on_sample(), on_sample().run.table("effective_weights")
    sums = frame.groupby(["era", "level"])[["nominal_weight", "effective_weight", "covariance_share"]].sum()
    np.testing.assert_allclose(sums.to_numpy(), 1.0, atol=1e-9)
    gap = computed.catalog.method.robustness.effective_weight_gap
    assert (frame["is_flagged"] == (frame["weight_difference"].abs() > gap)).all()
    recent = frame[(frame["era"] == "from_2020-03") & (frame["level"] == "condition")].set_index("item")
    assert list(recent.index[recent["is_flagged"]]) == ["valuation", "credit"]
    assert recent.loc["credit", "weight_difference"] < -gap, "credit moves the score least"
    scores = computed.frame["2020-03-31":][["valuation_score", "economy_score", "credit_score"]]
    plain = scores.corrwith(computed.frame["2020-03-31":]["bubble_score"]) ** 2
    assert list(recent["effective_weight"]) == pytest.approx(list(plain / plain.sum()), abs=1e-9)


CODES = {"mid_cycle": 0, "bubble": 1, "depression": 2, "indeterminate": 3}


def test_the_grid_has_375_variants_and_the_method_is_one_of_them() -> None:
    computed, codes = on_sample(), grid_states(on_sample().regime)
    method, r = computed.catalog.method, computed.catalog.method.robustness
    values = (r.threshold_shifts, r.valuation_rank_shares, r.spread_weights, r.confirmation_months)
    own = (0.0, method.valuation.weight_ranks, method.credit.weight_spreads, method.state.confirmation_months)
    assert codes.shape == (len(computed.grid), 375)
    states = codes[:, list(product(*values)).index(own)]
    assert states.tolist() == [CODES[state] for state in computed.frame["condition_state"]]
