"""What hangs on the choices of the method: parameters, weights, alternatives. Known answers, on the sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.conditions import Block, Condition
from assets.compute.diagnostics.sensitivity import method_variants, parameter_sensitivity
from assets.compute.diagnostics.weights import effective_weights
from assets.compute.robustness import grid_states, score_range, variants
from assets.compute.state import Scores, fast_entry
from tests.helpers import Computed, on_sample


@pytest.fixture(scope="module")
def computed() -> Computed:
    return on_sample()


@pytest.fixture(scope="module")
def sensitivity(computed: Computed) -> pd.DataFrame:
    return parameter_sensitivity(computed.regime, computed.readings, computed.catalog)


@pytest.fixture(scope="module")
def alternatives(computed: Computed) -> pd.DataFrame:
    frame = method_variants(computed.regime, computed.readings, computed.catalog)
    return frame.pivot(index="as_of_date", columns="variant", values="condition_variant")


def test_sensitivity_is_a_count_of_pairs(computed: Computed, sensitivity: pd.DataFrame) -> None:
    """Counted once more, pair by pair, on the month-end on which confirmation matters most."""
    of_confirmation = sensitivity[sensitivity["parameter"] == "confirmation_months"]
    day = of_confirmation.loc[of_confirmation["disagreement_share"].idxmax(), "as_of_date"]
    method, readings, regime = computed.catalog.method, computed.readings, computed.regime
    scores = Scores(
        regime.bubble_score,
        *(regime.conditions[name].score for name in ("valuation", "economy", "credit")),
        sahm_gap_pp=readings["activity_inflation.sahm_gap_pp"].value,
        claims_change_pct=readings["activity_inflation.claims_change_pct"].value,
    )
    fast = fast_entry(scores, method.state)
    codes = grid_states(variants(regime.conditions, method), computed.grid.is_month_end, fast, method)
    row = codes[list(computed.frame.index).index(day)].reshape(5 * 5 * 5, 3)
    pairs = [(a[i] != a[j]) for a in row for i in range(3) for j in range(i)]
    found = of_confirmation.set_index("as_of_date").loc[day, "disagreement_share"]
    assert found == pytest.approx(np.mean(pairs))
    assert found > 0.3


def test_the_most_important_parameter_is_the_one_with_the_largest_share(sensitivity: pd.DataFrame) -> None:
    largest = sensitivity.groupby("as_of_date")["disagreement_share"].transform("max")
    first = sensitivity["importance"] == 1
    assert (sensitivity.loc[first, "disagreement_share"] == largest[first]).all()
    assert sensitivity.groupby("as_of_date")["importance"].agg(tuple).map(sorted).map(tuple).nunique() == 1


@pytest.mark.parametrize("month_end", ["1999-12-31", "2000-03-31", "2010-11-30", "2012-09-30"])
def test_without_hysteresis_famous_months_are_mid_cycle(alternatives: pd.DataFrame, month_end: str) -> None:
    assert alternatives.loc[month_end, "without_hysteresis"] == "mid_cycle"


def test_every_variant_differs_from_the_method_somewhere_and_agrees_mostly(computed: Computed) -> None:
    frame = method_variants(computed.regime, computed.readings, computed.catalog)
    scored = frame[frame["as_of_date"] >= "1995-01-31"]
    same = scored.groupby("variant")["is_same_regime"].mean()
    assert len(same) == 6
    assert ((same > 0.75) & (same < 1.0)).all(), same


def test_the_range_over_weights_is_seeded_and_holds_the_score(computed: Computed) -> None:
    conditions, method = computed.regime.conditions, computed.catalog.method
    low, high = score_range(conditions, method)
    again, _ = score_range(conditions, method)
    np.testing.assert_array_equal(low, again)
    score = computed.regime.bubble_score
    scored = ~np.isnan(score)
    assert np.array_equal(scored, ~np.isnan(low))
    assert ((low < score) & (score < high))[scored].all()


def test_no_later_month_changes_the_last_digit_of_an_earlier_range(computed: Computed) -> None:
    """Published rows are compared to the bit, and a product of matrices rounds by its own width."""
    conditions, method = computed.regime.conditions, computed.catalog.method
    whole = score_range(conditions, method)
    for rows in range(len(computed.frame) - 40, len(computed.frame)):
        for found, expected in zip(score_range(_first(conditions, rows), method), whole, strict=True):
            np.testing.assert_array_equal(found, expected[:rows])


def _first(conditions: Mapping[str, Condition], rows: int) -> dict[str, Condition]:
    def blocks(condition: Condition) -> list[Block]:
        return [
            replace(b, components=[replace(c, score=c.score[:rows]) for c in b.components])
            for b in condition.blocks
        ]

    return {n: replace(c, blocks=blocks(c), score=c.score[:rows]) for n, c in conditions.items()}


def test_equal_scores_leave_nothing_to_the_weights(computed: Computed) -> None:
    """Where all blocks say the same, no weight matters; the range there is narrower than anywhere else."""
    width = computed.frame["score_p95"] - computed.frame["score_p05"]
    conditions = computed.regime.conditions
    blocks = np.stack([b.score for n in ("valuation", "economy", "credit") for b in conditions[n].blocks])
    spread = np.nanmax(blocks, axis=0) - np.nanmin(blocks, axis=0)
    known = width.notna().to_numpy()
    assert np.corrcoef(spread[known], width[known])[0, 1] > 0.5


def test_the_past_has_the_same_range_in_a_later_run(computed: Computed) -> None:
    earlier = on_sample("2015-06-30").frame
    pd.testing.assert_series_equal(earlier["score_p05"], computed.frame["score_p05"].loc[earlier.index])


def test_effective_weights_add_up_and_flag_what_differs() -> None:
    computed = on_sample()
    frame = effective_weights(computed.regime, computed.catalog)
    sums = frame.groupby(["era", "level"])[["nominal_weight", "effective_weight", "covariance_share"]].sum()
    np.testing.assert_allclose(sums.to_numpy(), 1.0, atol=1e-9)
    gap = load_catalog().method.robustness.effective_weight_gap
    assert (frame["is_flagged"] == (frame["weight_difference"].abs() > gap)).all()
    recent = frame[(frame["era"] == "from_2020-03") & (frame["level"] == "condition")].set_index("item")
    assert list(recent.index[recent["is_flagged"]]) == ["valuation", "economy", "credit"]
    assert recent.loc["credit", "effective_weight"] < 0.15


def test_an_early_run_has_no_ranges_and_no_eras_to_come() -> None:
    early = on_sample("1990-06-15")
    assert early.frame["score_p05"].isna().all()
    assert parameter_sensitivity(early.regime, early.readings, early.catalog).empty
    frame = effective_weights(early.regime, early.catalog)
    assert set(frame["era"]) == {"all"}
    assert frame["effective_weight"].isna().all()
