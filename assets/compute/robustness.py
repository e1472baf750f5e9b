"""How much of the state and of the score is the method's choice: other parameters, drawn weights."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from assets.compute.conditions import SCORED, Condition
from assets.compute.reading import Floats
from assets.compute.state import INDETERMINATE, STATE_BY_CODE, Codes, run_machine

if TYPE_CHECKING:
    from assets.catalog.method import Method
    from assets.compute.regime import Regime

PARAMETERS = ("threshold_shifts", "valuation_rank_shares", "spread_weights", "confirmation_months")


def agreement(regime: Regime) -> Floats:
    """Share of the parameter grid whose state equals the headline's, per date; NaN where that is indeterminate."""
    in_grid = STATE_BY_CODE[grid_states(regime)]
    share: Floats = (in_grid == regime.states.state[:, None]).mean(axis=1)
    return np.where(regime.states.state == INDETERMINATE, np.nan, share)


def grid_states(regime: Regime) -> Codes:
    """State codes of every date under every combination of PARAMETERS, shape (dates, combinations)."""
    method, conditions = regime.catalog.method, regime.conditions
    grid = method.robustness
    by_share = [
        conditions["valuation"].reweighted([s, (1 - s) / 2, (1 - s) / 2]) for s in grid.valuation_rank_shares
    ]
    by_spread = [conditions["credit"].reweighted([s, (1 - s) / 2, (1 - s) / 2]) for s in grid.spread_weights]
    combinations = list(product(grid.threshold_shifts, by_share, by_spread, grid.confirmation_months))
    valuation = np.stack([v for _, v, _, _ in combinations], axis=1)
    credit = np.stack([c for _, _, c, _ in combinations], axis=1)
    economy = np.broadcast_to(conditions["economy"].score[:, None], valuation.shape)
    measures = {
        "bubble_score": (valuation + economy + credit) / 3.0,
        "valuation_score": valuation,
        "economy_score": economy,
        "credit_score": credit,
    }
    shift = np.array([shift for shift, _, _, _ in combinations])
    confirmation = np.array([months for _, _, _, months in combinations])
    fast = regime.scores.fast_entry(method.state)
    return run_machine(measures, fast, regime.grid.is_month_end, method.state, shift, confirmation)[0]


def score_range(conditions: Mapping[str, Condition], method: Method) -> tuple[Floats, Floats]:
    """5th and 95th percentile of the score over drawn weights, per date: uncertainty of the method, no probability.

    Every block weight and every condition's third is multiplied by an independent draw, uniform around 1, and
    renormalised over what is present. The same draws serve all dates, so that a published row never moves.
    """
    rules = method.robustness
    draws = np.random.default_rng(rules.weight_draw_seed)

    def drawn(nominal: Floats) -> Floats:
        low, high = 1.0 - rules.weight_draw_spread, 1.0 + rules.weight_draw_spread
        return nominal * draws.uniform(low, high, size=(rules.weight_draws, len(nominal)))

    thirds = drawn(np.ones(len(SCORED)))
    thirds /= thirds.sum(axis=1, keepdims=True)
    total = np.zeros((rules.weight_draws, len(conditions["valuation"].score)))
    for n, name in enumerate(SCORED):
        condition = conditions[name]
        scores = np.stack([block.score for block in condition.blocks])
        weights = drawn(np.array([block.weight for block in condition.blocks]))
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = _weighted(weights, np.nan_to_num(scores)) / _weighted(weights, ~np.isnan(scores))
        total += thirds[:, [n]] * np.where(np.isnan(condition.score), np.nan, mean)
    scored = ~np.isnan(total[0])
    low, high = np.full(len(scored), np.nan), np.full(len(scored), np.nan)
    if scored.any():
        low[scored], high[scored] = np.quantile(total[:, scored], [0.05, 0.95], axis=0)
    return low, high


def _weighted(weights: Floats, values: npt.NDArray[Any]) -> Floats:
    """Sum over the blocks, shape (draws, dates), block by block.

    A matrix product rounds a column by the number of columns next to it, so that later months would change the last
    digit of an earlier one.
    """
    total = np.zeros((len(weights), values.shape[1]))
    for block, value in enumerate(values):
        total += weights[:, [block]] * value
    return total
