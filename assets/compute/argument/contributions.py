"""Contributions to the score as arrays: one row a component, one column a grid date.

Belongs here: the shape attribution and distances share. Does not belong here: the evidence table (`evidence.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assets.compute.conditions import Component
from assets.compute.reading import Floats
from assets.compute.regime import SCORED, Regime


@dataclass(frozen=True)
class Contributions:
    """Components of valuation, economy and credit in order; arrays of shape (components, dates).

    `weight` is the share of the whole score (condition weight / 3), `score` the component's own, 0 where absent.
    """

    conditions: tuple[str, ...]
    components: tuple[Component, ...]
    weight: Floats
    score: Floats
    shared: tuple[tuple[int, ...], ...]  # positions of components of which only the coldest counts

    @property
    def contribution(self) -> Floats:
        """Part of the score; the columns add up to it."""
        return self.weight * self.score


def contributions(regime: Regime) -> Contributions:
    """What every component of the score adds to it."""
    parts = [(name, regime.conditions[name]) for name in SCORED]
    return Contributions(
        tuple(name for name, condition in parts for _ in condition.components),
        tuple(c for _, condition in parts for c in condition.components),
        np.concatenate([condition.weights for _, condition in parts]) / len(SCORED),
        np.nan_to_num(np.stack([c.score for _, condition in parts for c in condition.components])),
        tuple(_coldest_counts(regime)),
    )


def _coldest_counts(regime: Regime) -> Iterator[tuple[int, ...]]:
    position = 0
    for name in SCORED:
        for block in regime.conditions[name].blocks:
            members = tuple(range(position, position + len(block.components)))
            position += len(block.components)
            if block.rule == "min":
                yield members
