"""How much of the state and of the score is the method's choice: other parameters, drawn weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from assets.compute.conditions import Condition
from assets.compute.reading import Floats, Texts
from assets.compute.state import BUBBLE, DEPRESSION, INDETERMINATE, MID_CYCLE

if TYPE_CHECKING:
    from assets.catalog.method import Method

_MID, _BUBBLE, _DEPRESSION, _INDETERMINATE = 0, 1, 2, 3
_CODES = {MID_CYCLE: _MID, BUBBLE: _BUBBLE, DEPRESSION: _DEPRESSION, INDETERMINATE: _INDETERMINATE}
_NO_HYSTERESIS = 1  # a confirmation of one month stands for one month and no hysteresis
Codes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Variants:
    """Scores under every combination of weights, shape (dates, variants), with its shift and confirmation."""

    score: Floats
    valuation: Floats
    economy: Floats
    credit: Floats
    shift: Floats  # (variants,)
    confirmation: npt.NDArray[np.int64]  # (variants,)


def agreement(
    conditions: Mapping[str, Condition],
    headline: Texts,
    is_month_end: npt.NDArray[np.bool_],
    fast: npt.NDArray[np.bool_],
    method: Method,
) -> Floats:
    """Share of the parameter grid whose state equals the headline's, per date; NaN where that is indeterminate."""
    codes = grid_states(variants(conditions, method), is_month_end, fast, method)
    own = np.array([_CODES[state] for state in headline], dtype="int8")
    share: Floats = (codes == own[:, None]).mean(axis=1)
    return np.where(own == _INDETERMINATE, np.nan, share)


def variants(conditions: Mapping[str, Condition], method: Method) -> Variants:
    """Every combination of threshold shift, rank share in V, spread weight in C and confirmation."""
    grid = method.robustness
    by_share = [
        conditions["valuation"].reweighted([s, (1 - s) / 2, (1 - s) / 2]) for s in grid.valuation_rank_shares
    ]
    by_spread = [conditions["credit"].reweighted([s, (1 - s) / 2, (1 - s) / 2]) for s in grid.spread_weights]
    economy = conditions["economy"].score
    combinations = list(product(grid.threshold_shifts, by_share, by_spread, grid.confirmation_months))
    valuation = np.stack([v for _, v, _, _ in combinations], axis=1)
    credit = np.stack([c for _, _, c, _ in combinations], axis=1)
    return Variants(
        (valuation + economy[:, None] + credit) / 3.0,
        valuation,
        np.broadcast_to(economy[:, None], valuation.shape),
        credit,
        np.array([shift for shift, _, _, _ in combinations]),
        np.array([months for _, _, _, months in combinations]),
    )


def grid_states(
    v: Variants, is_month_end: npt.NDArray[np.bool_], fast: npt.NDArray[np.bool_], method: Method
) -> Codes:
    """State codes of every date and variant: the machine of `state.py`, all variants advancing together."""
    b, d, shift = method.state.bubble, method.state.depression, v.shift
    hot = (
        (v.score >= b.enter_score + shift)
        & (v.valuation >= b.enter_valuation + shift)
        & (v.credit >= b.enter_credit + shift)
    )
    weak = (v.economy <= d.enter_economy + shift) | (v.credit <= d.enter_credit + shift)
    cold = (v.score <= d.enter_score + shift) & weak
    out_of_bubble = (v.score < b.leave_score + shift) | (v.valuation < b.leave_valuation + shift)
    out_of_depression = v.score > d.leave_score + shift
    missing = np.isnan(v.score)
    plain = np.where(missing, _INDETERMINATE, np.where(hot, _BUBBLE, np.where(cold, _DEPRESSION, _MID)))
    n, width = v.score.shape
    state, hot_run, cold_run = np.full(width, _MID), np.zeros(width, "int64"), np.zeros(width, "int64")
    codes = np.empty((n, width), dtype="int8")
    for i in range(n):
        if is_month_end[i]:
            hot_run, cold_run = np.where(hot[i], hot_run + 1, 0), np.where(cold[i], cold_run + 1, 0)
            leaves = ((state == _BUBBLE) & out_of_bubble[i]) | ((state == _DEPRESSION) & out_of_depression[i])
            state = np.where(leaves | (state == _INDETERMINATE), _MID, state)
            into_bubble = (state == _MID) & (hot_run >= v.confirmation)
            into_depression = (state == _MID) & ((cold_run >= v.confirmation) | (cold[i] & fast[i]))
            state = np.where(into_bubble, _BUBBLE, np.where(into_depression, _DEPRESSION, state))
            state = np.where(v.confirmation == _NO_HYSTERESIS, plain[i], state)
            state = np.where(missing[i], _INDETERMINATE, state)
        codes[i] = np.where(missing[i], _INDETERMINATE, state)
    return codes


def score_range(
    conditions: Mapping[str, Condition],
    method: Method,
    names: Sequence[str] = ("valuation", "economy", "credit"),
) -> tuple[Floats, Floats]:
    """5th and 95th percentile of the score over drawn weights, per date.

    Every block weight and every condition's third is multiplied by an independent draw, uniform around 1, and
    renormalised over what is present. The same draws serve all dates, so that a published row never moves.
    """
    rules = method.robustness
    draws = np.random.default_rng(rules.weight_draw_seed)

    def drawn(nominal: Floats) -> Floats:
        low, high = 1.0 - rules.weight_draw_spread, 1.0 + rules.weight_draw_spread
        return nominal * draws.uniform(low, high, size=(rules.weight_draws, len(nominal)))

    thirds = drawn(np.ones(len(names)))
    thirds /= thirds.sum(axis=1, keepdims=True)
    total = np.zeros((rules.weight_draws, len(conditions[names[0]].score)))
    for n, name in enumerate(names):
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

    A matrix product rounds a column by the number of columns beside it, so that later months would change the last
    digit of an earlier one.
    """
    total = np.zeros((len(weights), values.shape[1]))
    for block, value in enumerate(values):
        total += weights[:, [block]] * value
    return total
