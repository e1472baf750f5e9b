"""The score under drawn weights: how much of it is the choice of weights.

Belongs here: seeded draws over the weights. Does not belong here: other thresholds (`robustness.py`). The range is the
uncertainty of the method, no probability of anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from assets.compute.conditions import Condition
from assets.compute.reading import Floats

if TYPE_CHECKING:
    from assets.catalog.method import Method


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
