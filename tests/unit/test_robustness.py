"""The share of other parameters that give the same label, on the sample."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest

from assets.compute.robustness import agreement, grid_states
from tests.helpers import Computed, on_sample

CODES = {"mid_cycle": 0, "bubble": 1, "depression": 2, "indeterminate": 3}


@pytest.fixture(scope="module")
def computed() -> Computed:
    return on_sample()


@pytest.fixture(scope="module")
def codes(computed: Computed) -> np.ndarray:
    """State code of every date under every variant."""
    return grid_states(computed.regime, computed.catalog.method)


def position(computed: Computed, **chosen: float) -> int:
    """Where a combination stands among the variants; the method's own parameters unless given."""
    method = computed.catalog.method
    own = {
        "shift": 0.0,
        "share": method.valuation.weight_ranks,
        "spread": method.credit.weight_spreads,
        "confirmation": method.state.confirmation_months,
    } | chosen
    r = method.robustness
    grid = product(r.threshold_shifts, r.valuation_rank_shares, r.spread_weights, r.confirmation_months)
    return list(grid).index(tuple(own.values()))  # type: ignore[arg-type]


def test_the_grid_has_375_variants_and_the_method_is_one_of_them(
    computed: Computed, codes: np.ndarray
) -> None:
    assert codes.shape == (len(computed.grid), 375)
    own = codes[:, position(computed)]
    assert own.tolist() == [CODES[state] for state in computed.frame["condition_state"]]


def test_agreement_is_the_share_of_variants_in_the_same_state(computed: Computed, codes: np.ndarray) -> None:
    own = np.array([CODES[state] for state in computed.frame["condition_state"]])
    share = np.where(own == CODES["indeterminate"], np.nan, (codes == own[:, None]).mean(axis=1))
    np.testing.assert_allclose(computed.frame["agreement"], share)


def test_without_hysteresis_some_famous_months_are_mid_cycle(computed: Computed, codes: np.ndarray) -> None:
    """The label of these months rests on hysteresis; METHODOLOGY 5 asks to say so."""
    plain = codes[:, position(computed, confirmation=1)]
    dates = [str(day)[:7] for day in computed.grid.as_of]
    for month in ("1999-12", "2000-03", "2010-11", "2012-09"):
        assert plain[dates.index(month)] == CODES["mid_cycle"], month


def test_higher_thresholds_never_make_more_bubbles(computed: Computed, codes: np.ndarray) -> None:
    bubbles = [
        int((codes[:, position(computed, shift=shift, confirmation=1)] == CODES["bubble"]).sum())
        for shift in computed.catalog.method.robustness.threshold_shifts
    ]
    assert bubbles == sorted(bubbles, reverse=True)


def test_the_whole_grid_costs_a_night_next_to_nothing(computed: Computed) -> None:
    """375 parameter sets on every month-end; about 0.03 s, so that two seconds are a mistake and not a slow machine."""
    began = time.process_time()
    agreement(computed.regime, computed.catalog.method)
    assert time.process_time() - began < 2.0
