"""From scores to the state of the world, with hysteresis (methodology, "State"): thresholds and the state machine."""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from assets.catalog.method import State
from assets.compute.reading import Floats, Texts, texts

BUBBLE, DEPRESSION, MID_CYCLE, INDETERMINATE = "bubble", "depression", "mid_cycle", "indeterminate"
STATE_BY_CODE = np.array([MID_CYCLE, BUBBLE, DEPRESSION, INDETERMINATE], dtype=object)
_MID, _BUBBLE, _DEPRESSION, _INDETERMINATE = range(4)
_DIGITS = 9  # a gap of two means of tenths can be 0.49999999999999956 where it is 0.5, and equality counts

Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int8]  # positions in STATE_BY_CODE
Flip = Literal["enter_bubble", "leave_bubble", "enter_depression", "leave_depression"]
Measure = Literal["bubble_score", "valuation_score", "economy_score", "credit_score"]
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
# flips a state can make; an indeterminate one waits for figures, not for a threshold
FLIPS: Mapping[str, tuple[Flip, ...]] = {
    BUBBLE: ("leave_bubble",),
    DEPRESSION: ("leave_depression",),
    MID_CYCLE: ("enter_bubble", "enter_depression"),
    INDETERMINATE: (),
}
LEADS_TO: Mapping[Flip, str] = {
    "enter_bubble": BUBBLE,
    "enter_depression": DEPRESSION,
    "leave_bubble": MID_CYCLE,
    "leave_depression": MID_CYCLE,
}


@dataclass(frozen=True)
class Threshold:
    """One limit of the method: `flip` needs `measure` to compare with `limit` by `sign`."""

    flip: Flip
    name: str  # parameter of the method
    measure: Measure
    sign: Literal[">=", "<=", ">", "<"]
    limit: float

    def is_met(self, value: Any, shift: Any = 0.0) -> Any:
        """Whether a value, or each of an array, passes the limit; NaN never does."""
        return _OPERATORS[self.sign](value, self.limit + shift)

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


def score_limits(state: str, rules: State) -> list[float]:
    """Limits of the score that lead out of a state."""
    return [t.limit for t in thresholds(rules) if t.flip in FLIPS[state] and t.measure == "bubble_score"]


def flip_holds(flip: Flip, measures: Mapping[str, Any], rules: State, shift: Any = 0.0) -> Any:
    """Whether the scores of one month-end satisfy a flip, before confirmation; scalars or arrays.

    `shift` is added to every limit.
    """
    met = {t.name: t.is_met(measures[t.measure], shift) for t in thresholds(rules) if t.flip == flip}
    if flip == "enter_depression":
        weak = met["state.depression.enter_economy"] | met["state.depression.enter_credit"]
        return met["state.depression.enter_score"] & weak
    combine = np.logical_and if flip == "enter_bubble" else np.logical_or
    return combine.reduce(list(met.values()))


@dataclass(frozen=True)
class Scores:
    """What the state depends on, one per grid date; NaN where absent (a NaN comparison is false)."""

    bubble: Floats
    valuation: Floats
    economy: Floats
    credit: Floats
    sahm_gap_pp: Floats
    claims_change_pct: Floats

    @property
    def measures(self) -> dict[str, Floats]:
        """The scores that thresholds are set on, by name."""
        return {
            "bubble_score": self.bubble,
            "valuation_score": self.valuation,
            "economy_score": self.economy,
            "credit_score": self.credit,
        }

    def fast_entry(self, rules: State) -> Flags:
        """Where the labour market is falling so fast that one month-end is enough to call a depression."""
        gap, claims = np.round(self.sahm_gap_pp, _DIGITS), np.round(self.claims_change_pct, _DIGITS)
        d = rules.depression
        return (gap >= d.fast_sahm_gap_pp) | (claims >= d.fast_claims_change_pct)


@dataclass(frozen=True)
class States:
    """`state`: inside a month it is the last month-end's. `provisional`: what that day would give as a month-end."""

    state: Texts
    provisional: Texts


def states(scores: Scores, is_month_end: Flags, rules: State, confirmation: int | None = None) -> States:
    """State of every grid date. Starts `mid_cycle`; a date without a score is `indeterminate` and starts over."""
    measures = {name: score[:, None] for name, score in scores.measures.items()}
    fast = scores.fast_entry(rules)
    state, provisional = run_machine(measures, fast, is_month_end, rules, confirmation=confirmation)
    return States(STATE_BY_CODE[state[:, 0]], texts(is_month_end, None, STATE_BY_CODE[provisional[:, 0]]))


def run_machine(
    measures: Mapping[str, Floats],
    fast: Flags,
    is_month_end: Flags,
    rules: State,
    shift: Any = 0.0,
    confirmation: Any = None,
) -> tuple[Codes, Codes]:
    """State codes of every date and variant, and those each date would have as a month-end: (dates, variants).

    `measures` have the same shape; `shift` and `confirmation` (month-ends in a row that a rule has to hold, the
    method's unless given) may differ by variant. One given as 1 means no hysteresis: the state of each month-end by its
    own scores alone.
    """
    hot, cold, leaves_bubble, leaves_depression = (
        flip_holds(flip, measures, rules, shift)
        for flip in ("enter_bubble", "enter_depression", "leave_bubble", "leave_depression")
    )
    missing = np.isnan(measures["bubble_score"])
    needed = rules.confirmation_months if confirmation is None else confirmation
    is_free = confirmation is not None and np.equal(confirmation, 1)
    codes, as_month_end = np.empty(missing.shape, "int8"), np.empty(missing.shape, "int8")
    state = np.full(missing.shape[1], _MID)
    hot_run, cold_run = np.zeros_like(state), np.zeros_like(state)
    for i in range(len(missing)):
        hot_now, cold_now = np.where(hot[i], hot_run + 1, 0), np.where(cold[i], cold_run + 1, 0)
        leaves = ((state == _BUBBLE) & leaves_bubble[i]) | ((state == _DEPRESSION) & leaves_depression[i])
        is_mid = is_free | leaves | (state == _INDETERMINATE) | (state == _MID)
        entered = np.select(
            [hot_now >= needed, (cold_now >= needed) | (cold[i] & fast[i])], [_BUBBLE, _DEPRESSION], _MID
        )
        as_month_end[i] = np.where(missing[i], _INDETERMINATE, np.where(is_mid, entered, state))
        if is_month_end[i]:
            state, hot_run, cold_run = as_month_end[i], hot_now, cold_now
        codes[i] = np.where(missing[i], _INDETERMINATE, state)
    return codes, as_month_end


def spells(labels: Texts) -> Iterator[tuple[int, int]]:
    """First and last position of every run of equal labels."""
    first = np.unique(run_starts(labels))
    yield from zip(first.tolist(), [*(first[1:] - 1).tolist(), len(labels) - 1], strict=False)


def run_starts(labels: Texts) -> npt.NDArray[np.int64]:
    """Position at which the run of equal labels begins that each position belongs to."""
    begins = np.append(True, labels[1:] != labels[:-1])[: len(labels)]
    return np.maximum.accumulate(np.where(begins, np.arange(len(labels)), 0))
