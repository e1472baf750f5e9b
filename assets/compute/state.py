"""From scores to the state of the world, with hysteresis (methodology, "State").

Belongs here: the state machine. Does not belong here: scores, the stance of policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from assets.compute.reading import Floats, Texts

if TYPE_CHECKING:
    from assets.catalog.method import State

BUBBLE, DEPRESSION, MID_CYCLE, INDETERMINATE = "bubble", "depression", "mid_cycle", "indeterminate"
_DIGITS = 9  # a gap of two means of tenths can be 0.49999999999999956 where it is 0.5, and equality counts


@dataclass(frozen=True)
class Scores:
    """What the state depends on, one per grid date; NaN where absent (a NaN comparison is false)."""

    bubble: Floats
    valuation: Floats
    economy: Floats
    credit: Floats
    sahm_gap_pp: Floats
    claims_change_pct: Floats


@dataclass(frozen=True)
class States:
    """`state` carries a run date inside a month at the last month-end's; `provisional` is what that day would say."""

    state: Texts
    provisional: Texts


def states(scores: Scores, is_month_end: npt.NDArray[np.bool_], rules: State) -> States:
    """State of every grid date. Starts `mid_cycle`; a date without a score is `indeterminate` and starts over."""
    hot, cold = _entries(scores, rules)
    fast = fast_entry(scores, rules)
    leaves_bubble = (scores.bubble < rules.bubble.leave_score) | (
        scores.valuation < rules.bubble.leave_valuation
    )
    leaves_depression = scores.bubble > rules.depression.leave_score
    n = len(scores.bubble)
    steps = _Machine(rules.confirmation_months)
    state, provisional = np.empty(n, dtype=object), np.full(n, None, dtype=object)
    for i in range(n):
        step = (np.isnan(scores.bubble[i]), hot[i], cold[i], fast[i], leaves_bubble[i], leaves_depression[i])
        if is_month_end[i]:
            state[i] = steps.advance(*step)
        else:
            state[i] = steps.state if not step[0] else INDETERMINATE
            provisional[i] = steps.copy().advance(*step)
    return States(state, provisional)


class _Machine:
    """Holds the state and how many month-ends in a row, this one included, met a condition of entry."""

    def __init__(
        self, confirmation: int, state: str = MID_CYCLE, hot_run: int = 0, cold_run: int = 0
    ) -> None:
        self.confirmation, self.state, self.hot_run, self.cold_run = confirmation, state, hot_run, cold_run

    def copy(self) -> _Machine:
        return _Machine(self.confirmation, self.state, self.hot_run, self.cold_run)

    def advance(
        self, missing: bool, hot: bool, cold: bool, fast: bool, out_of_bubble: bool, out_of_depression: bool
    ) -> str:
        if missing:
            self.state, self.hot_run, self.cold_run = INDETERMINATE, 0, 0
            return self.state
        self.hot_run = self.hot_run + 1 if hot else 0
        self.cold_run = self.cold_run + 1 if cold else 0
        if (
            self.state == INDETERMINATE
            or (self.state == BUBBLE and out_of_bubble)
            or (self.state == DEPRESSION and out_of_depression)
        ):
            self.state = MID_CYCLE
        if self.state == MID_CYCLE and self.hot_run >= self.confirmation:
            self.state = BUBBLE
        elif self.state == MID_CYCLE and (self.cold_run >= self.confirmation or (cold and fast)):
            self.state = DEPRESSION
        return self.state


def _entries(scores: Scores, rules: State) -> tuple[npt.NDArray[np.bool_], ...]:
    b, d = rules.bubble, rules.depression
    hot = (
        (scores.bubble >= b.enter_score)
        & (scores.valuation >= b.enter_valuation)
        & (scores.credit >= b.enter_credit)
    )
    cold = (scores.bubble <= d.enter_score) & (
        (scores.economy <= d.enter_economy) | (scores.credit <= d.enter_credit)
    )
    return hot, cold


def fast_entry(scores: Scores, rules: State) -> npt.NDArray[np.bool_]:
    """Where the labour market is falling so fast that one month-end suffices to call a depression."""
    d = rules.depression
    gap, claims = np.round(scores.sahm_gap_pp, _DIGITS), np.round(scores.claims_change_pct, _DIGITS)
    return (gap >= d.fast_sahm_gap_pp) | (claims >= d.fast_claims_change_pct)


def spells(labels: Texts) -> Iterator[tuple[int, int]]:
    """First and last position of every run of equal labels."""
    start = 0
    for i in range(1, len(labels) + 1):
        if i == len(labels) or labels[i] != labels[start]:
            yield start, i - 1
            start = i
