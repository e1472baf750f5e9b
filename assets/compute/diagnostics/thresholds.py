"""The thresholds of the state machine as data, so that a label can be asked what it hangs on.

Belongs here: which thresholds lead out of a state, and when they do. Does not belong here: the machine (`state.py`),
the numbers (`method.toml`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from assets.compute.regime import Regime
from assets.compute.state import BUBBLE, DEPRESSION, MID_CYCLE

if TYPE_CHECKING:
    from assets.catalog.method import State

Flip = Literal["enter_bubble", "leave_bubble", "enter_depression", "leave_depression"]
Measure = Literal["bubble_score", "valuation_score", "economy_score", "credit_score"]
Flags = npt.NDArray[np.bool_]
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Threshold:
    """One limit of the method: `flip` needs `measure` to stand to `limit` as `sign` says."""

    flip: Flip
    name: str  # parameter of the method
    measure: Measure
    sign: Literal[">=", "<=", ">", "<"]
    limit: float

    def is_met(self, value: Any) -> Any:
        """Whether a value, or each of an array, passes the limit; NaN never does."""
        return _OPERATORS[self.sign](value, self.limit)

    @property
    def is_upward(self) -> bool:
        """Whether the measure has to rise to pass it."""
        return self.sign in (">=", ">")


def thresholds(rules: State) -> tuple[Threshold, ...]:
    """Every score threshold of the method."""
    b, d = rules.bubble, rules.depression
    return (
        Threshold("leave_bubble", "state.bubble.leave_score", "bubble_score", "<", b.leave_score),
        Threshold("leave_bubble", "state.bubble.leave_valuation", "valuation_score", "<", b.leave_valuation),
        Threshold("leave_depression", "state.depression.leave_score", "bubble_score", ">", d.leave_score),
        Threshold("enter_bubble", "state.bubble.enter_score", "bubble_score", ">=", b.enter_score),
        Threshold("enter_bubble", "state.bubble.enter_valuation", "valuation_score", ">=", b.enter_valuation),
        Threshold("enter_bubble", "state.bubble.enter_credit", "credit_score", ">=", b.enter_credit),
        Threshold("enter_depression", "state.depression.enter_score", "bubble_score", "<=", d.enter_score),
        Threshold(
            "enter_depression", "state.depression.enter_economy", "economy_score", "<=", d.enter_economy
        ),
        Threshold("enter_depression", "state.depression.enter_credit", "credit_score", "<=", d.enter_credit),
    )


def in_force(state: str) -> tuple[Flip, ...]:
    """Flips a state can make; an indeterminate one waits for figures, not for a threshold."""
    flips: dict[str, tuple[Flip, ...]] = {
        BUBBLE: ("leave_bubble",),
        DEPRESSION: ("leave_depression",),
        MID_CYCLE: ("enter_bubble", "enter_depression"),
    }
    return flips.get(state, ())


def leads_to(flip: Flip) -> str:
    """State after the flip."""
    return {"enter_bubble": BUBBLE, "enter_depression": DEPRESSION}.get(flip, MID_CYCLE)


def flip_holds(flip: Flip, measures: Mapping[str, Any], rules: State) -> Any:
    """Whether the scores of one month-end satisfy a flip, confirmation aside; scalars or arrays."""
    met = {t.name: t.is_met(measures[t.measure]) for t in thresholds(rules) if t.flip == flip}
    if flip == "enter_depression":
        weak = met["state.depression.enter_economy"] | met["state.depression.enter_credit"]
        return met["state.depression.enter_score"] & weak
    every = flip == "enter_bubble"
    return (np.logical_and if every else np.logical_or).reduce(list(met.values()))


def measures_of(regime: Regime) -> dict[str, npt.NDArray[np.float64]]:
    """The scores thresholds are set on, one per grid date."""
    names = ("valuation", "economy", "credit")
    return {
        "bubble_score": regime.bubble_score,
        **{f"{n}_score": regime.conditions[n].score for n in names},
    }
