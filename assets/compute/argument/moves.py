"""One component moved alone: the value it needs for a measure to pass a limit, and what the move does to every score.

Belongs here: the algebra from a limit back to a value. Does not belong here: which limits matter (`distance.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from assets.compute.argument.contributions import Contributions
from assets.compute.argument.rank_inverse import RankInverse
from assets.compute.argument.thresholds import Threshold
from assets.compute.reading import Floats
from assets.compute.regime import SCORED, Regime

if TYPE_CHECKING:
    from assets.catalog.method import Method

_BEYOND = 1e-9  # a limit is passed, never just touched up to a rounding error


class Mover:
    """Moves of every component of a computed regime; a history is sorted once a component."""

    def __init__(self, regime: Regime, parts: Contributions, method: Method) -> None:
        self._regime, self._parts, self._method = regime, parts, method
        self._inverse: dict[int, RankInverse] = {}

    @cached_property
    def _partner(self) -> dict[int, tuple[int, ...]]:
        """The others of which, with the component, only the coldest counts."""
        return {k: tuple(m for m in group if m != k) for group in self._parts.shared for k in group}

    def move(self, k: int, threshold: Threshold, measure: Floats) -> tuple[Floats, Floats]:
        """Value component `k` needs on each date and the score it then has; NaN where no value suffices."""
        component, beyond = self._parts.components[k], _BEYOND if threshold.is_upward else -_BEYOND
        share = self._share(k) / (len(SCORED) if threshold.measure == "bubble_score" else 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = self._counting_score(k) + (threshold.limit + beyond - measure) / share
        needed = np.where((needed < 0) | (needed > 1) | np.isnan(component.score), np.nan, needed)
        if k in self._partner:  # the other one caps the block
            cap = self._coldest(self._partner[k])
            needed = np.where(needed > cap, np.nan, needed)
        if component.value_at is not None:
            return component.value_at(needed), needed
        rises = threshold.is_upward == component.is_hot_when_high
        rank = needed if component.is_hot_when_high else 1.0 - needed
        inverse = self._inverse_of(k)
        value = inverse.value_at_least(rank) if rises else inverse.value_at_most(rank)
        value = np.where(np.isinf(value), np.nan, value)
        reached = inverse.rank_of(value)
        score = reached if component.is_hot_when_high else 1.0 - reached
        return value, np.where(np.isnan(value), np.nan, score)

    def measures_after(self, k: int, score: Floats, measures: Mapping[str, Floats]) -> dict[str, Floats]:
        """Every score with component `k` at another one, everything else held."""
        counts = score if k not in self._partner else np.fmin(score, self._coldest(self._partner[k]))
        change = self._share(k) * (counts - self._counting_score(k))
        own = f"{self._parts.conditions[k]}_score"
        after = dict(measures)
        after[own] = measures[own] + change
        after["bubble_score"] = measures["bubble_score"] + change / len(SCORED)
        return after

    def _share(self, k: int) -> Floats:
        """Weight of the component in its condition; of the block where only the coldest of several counts."""
        members = [k, *self._partner.get(k, ())]
        share: Floats = self._parts.weight[members].sum(axis=0) * len(SCORED)
        return share

    def _counting_score(self, k: int) -> Floats:
        """Score that counts now: its own, or the coldest of its block."""
        return self._coldest((k, *self._partner.get(k, ())))

    def _coldest(self, members: tuple[int, ...]) -> Floats:
        scores = np.stack([self._parts.components[m].score for m in members])
        coldest: Floats = np.fmin.reduce(scores, axis=0)
        return coldest

    def _inverse_of(self, k: int) -> RankInverse:
        if k not in self._inverse:
            past, grid = self._parts.components[k].past, self._regime.grid
            self._inverse[k] = RankInverse(past, grid.is_month_end, self._method.percentile.value_decimals)
        return self._inverse[k]
