"""Why the score moved, why the label changed, and why an own method gives another label: component by component."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from assets.catalog.method import State
from assets.compute.calendar import NAT, previous_month_end
from assets.compute.conditions import SCORED, Component
from assets.compute.reading import Floats
from assets.compute.regime import Regime
from assets.compute.stance import counts_from
from assets.compute.state import (
    FLIPS,
    INDETERMINATE,
    LEADS_TO,
    MID_CYCLE,
    Flip,
    flip_holds,
    run_starts,
    thresholds,
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Contributions:
    """Components of valuation, economy and credit in order; arrays of shape (components, dates).

    `weight` is the share of the score (condition weight / 3), `score` the component's own, 0 where absent.
    """

    conditions: tuple[str, ...]
    components: tuple[Component, ...]
    weight: Floats
    score: Floats
    shared: tuple[list[int], ...]  # positions of components of which only the coldest counts

    @property
    def contribution(self) -> Floats:
        """Part of the score; the columns add up to it."""
        return self.weight * self.score


def contributions(regime: Regime) -> Contributions:
    """What every component of the score adds to it."""
    conditions = [regime.conditions[name] for name in SCORED]
    components = tuple(c for condition in conditions for c in condition.components)
    position = {id(c): k for k, c in enumerate(components)}
    blocks = [block for condition in conditions for block in condition.blocks]
    return Contributions(
        tuple(condition.name for condition in conditions for _ in condition.components),
        components,
        np.concatenate([condition.weights for condition in conditions]) / len(SCORED),
        np.nan_to_num(np.stack([c.score for c in components])),
        tuple([position[id(c)] for c in block.components] for block in blocks if block.rule == "min"),
    )


def score_attribution(regime: Regime) -> pd.DataFrame:
    """Columns of `score_attribution`: a row per date and component, where both dates have a score.

    The change of a contribution is split at the midpoint: mean weight x change of score, plus mean score x change of
    weight. The two add up to it exactly; a component that appears or disappears is all weight.
    """
    parts, as_of = contributions(regime), regime.grid.as_of
    before = previous_month_end(regime.grid.is_month_end)
    scored = ~np.isnan(regime.bubble_score)
    now = np.flatnonzero((before >= 0) & scored & scored[before])
    then = before[now]
    weight, weight_before = parts.weight[:, now], parts.weight[:, then]
    score, score_before = parts.score[:, now], parts.score[:, then]
    total, total_before = parts.contribution[:, now], parts.contribution[:, then]
    both = (weight > 0) & (weight_before > 0)
    by_score = (weight + weight_before) / 2.0 * (score - score_before)
    by_weight = (score + score_before) / 2.0 * (weight - weight_before)
    k = len(parts.components)
    return pd.DataFrame(
        {
            "as_of_date": np.repeat(as_of[now], k).astype("datetime64[s]"),
            "compared_with_date": np.repeat(as_of[then], k).astype("datetime64[s]"),
            "condition": np.tile(np.array(parts.conditions, dtype=object), len(now)),
            "component": np.tile(np.array([c.name for c in parts.components], dtype=object), len(now)),
            "contribution": total.T.ravel(),
            "contribution_before": total_before.T.ravel(),
            "contribution_change": (total - total_before).T.ravel(),
            "score_effect": np.where(both, by_score, 0.0).T.ravel(),
            "weight_effect": np.where(both, by_weight, total - total_before).T.ravel(),
        }
    )


def regime_changes(regime: Regime) -> pd.DataFrame:
    """Columns of `regime_changes`: one row per grid date whose label differs from the one on the date before."""
    parts = contributions(regime)
    changed = np.flatnonzero(regime.label[1:] != regime.label[:-1]) + 1
    return pd.DataFrame(_change(regime, parts, int(i)) for i in changed)


def _change(regime: Regime, parts: Contributions, i: int) -> Row:
    state, stance = regime.states.state, regime.stance
    stance_moved, state_moved = stance.stance[i] != stance.stance[i - 1], state[i] != state[i - 1]
    return {
        "as_of_date": regime.grid.as_of[i],
        "regime_before": regime.label[i - 1],
        "regime": regime.label[i],
        "changed_part": "both" if stance_moved and state_moved else "stance" if stance_moved else "condition",
        "stance_before": stance.stance[i - 1],
        "stance": stance.stance[i],
        **(_of_stance(regime, i) if stance_moved else {}),
        "condition_state_before": state[i - 1],
        "condition_state": state[i],
        "bubble_score_before": regime.bubble_score[i - 1],
        "bubble_score": regime.bubble_score[i],
        **(_of_state(regime, parts, i) if state_moved else {}),
    }


def _of_stance(regime: Regime, i: int) -> Row:
    """Which of the two directions moved, and the decision where the announced one did."""
    stance, on = regime.stance, regime.grid.as_of[i]
    by_rate = stance.rate[i] != stance.rate[i - 1]
    by_announcement = stance.balance_sheet_announced[i] != stance.balance_sheet_announced[i - 1]
    horizon = regime.catalog.method.stance.announcement_horizon_days
    counted = [
        (counts_from(event, horizon), event.announced_on)
        for event in regime.catalog.policy_events.events
        if event.changes_direction and counts_from(event, horizon) <= on
    ]
    return {
        "stance_cause": "both" if by_rate and by_announcement else "rate" if by_rate else "balance_sheet",
        "policy_event_date": np.datetime64(max(counted)[1], "D") if by_announcement and counted else NAT,
    }


def _of_state(regime: Regime, parts: Contributions, i: int) -> Row:
    """The thresholds passed since the rule did not hold, and the component that did most to pass them; or nothing."""
    rules, measures = regime.catalog.method.state, regime.scores.measures
    flip = _flip(regime.states.state[i - 1], regime.states.state[i])
    then = None if flip is None else _last_without(flip, regime, rules, i)
    if flip is None or then is None:
        return {}
    crossed = [
        t
        for t in thresholds(rules)
        if t.flip == flip and t.is_met(measures[t.measure][i]) and not t.is_met(measures[t.measure][then])
    ]
    if not crossed:  # a live row next to rows recomputed since: the label changes and no measure explains it
        return {}
    change = _change_of_each(parts, i, then)
    without_each = {"bubble_score": measures["bubble_score"][i] - change}
    concerned = np.zeros(len(change), dtype=bool)
    for name in SCORED:
        own = np.array([condition == name for condition in parts.conditions])
        without_each[f"{name}_score"] = measures[f"{name}_score"][i] - 3.0 * change * own
        concerned |= own & any(t.measure in ("bubble_score", f"{name}_score") for t in crossed)
    decisive = ~flip_holds(flip, without_each, rules) & concerned
    direction = 1.0 if crossed[0].is_upward else -1.0
    k = int(np.lexsort((-direction * change, ~decisive, ~concerned))[0])
    component = parts.components[k]
    return {
        "compared_with_date": regime.grid.as_of[then],
        "thresholds_crossed": "; ".join(
            f"{t.measure} {measures[t.measure][i]:.3f} {t.sign} {t.limit:g}" for t in crossed
        ),
        "component": component.name,
        "component_condition": parts.conditions[k],
        "component_unit": regime.catalog.unit_of(component.column),
        "component_value_before": component.reading.value[then],
        "component_value": component.reading.value[i],
        "component_contribution_change": change[k],
        "is_decisive": bool(decisive[k]),
    }


def _change_of_each(parts: Contributions, now: int, then: int) -> Floats:
    """Change of every contribution. Where only the coldest of several counts, theirs is that of the one that moved."""
    change = parts.contribution[:, now] - parts.contribution[:, then]
    moved = np.abs(parts.score[:, now] - parts.score[:, then])
    for members in parts.shared:
        total = change[members].sum()
        change[members] = 0.0
        change[members[int(np.argmax(moved[members]))]] = total
    return change


def _flip(before: str, after: str) -> Flip | None:
    """What made one state another; from a bubble straight into a depression it is the entry."""
    if INDETERMINATE in (before, after):
        return None
    return next(flip for flip in (*FLIPS[MID_CYCLE], *FLIPS[before]) if LEADS_TO[flip] == after)


def _last_without(flip: Flip, regime: Regime, rules: State, i: int) -> int | None:
    """The last scored month-end before `i` on which the flip's rule did not hold; None when there is none."""
    did_not_hold = ~flip_holds(flip, regime.scores.measures, rules)
    before = regime.grid.is_month_end & ~np.isnan(regime.bubble_score) & did_not_hold
    positions = np.flatnonzero(before[:i])
    return int(positions[-1]) if len(positions) else None


_DIRECTIONS = {1: "easing", 0: "unchanged", -1: "tightening"}


def relabelled_months(ours: Regime, own: Regime) -> list[Row]:
    """One row per month-end of both whose label differs, oldest first."""
    common = np.intersect1d(ours.grid.as_of[ours.grid.is_month_end], own.grid.as_of[own.grid.is_month_end])
    at, other = (np.searchsorted(regime.grid.as_of, common) for regime in (ours, own))
    rows = []
    for day, i, j in zip(common, at, other, strict=True):
        if ours.label[i] == own.label[j]:
            continue
        state = ours.states.state[i] != own.states.state[j]
        stance = ours.stance.stance[i] != own.stance.stance[j]
        causes = [
            *(_own_stance(ours, own, i, j) if stance else ()),
            *(_own_state(ours, own, i, j) if state else ()),
        ]
        rows.append(
            {
                "as_of_date": day.item(),
                "regime": ours.label[i],
                "regime_own": own.label[j],
                "bubble_score": _known(ours.bubble_score[i]),
                "bubble_score_own": _known(own.bubble_score[j]),
                "changed_part": "both" if state and stance else "stance" if stance else "condition",
                "cause": "; ".join(causes),
            }
        )
    return rows


def _own_stance(ours: Regime, own: Regime, i: int, j: int) -> Iterator[str]:
    was, now = ours.stance.rate[i], own.stance.rate[j]
    if was != now:
        limits = [
            f"{rules.rate_change_pp:g} points over {rules.rate_window_months} months"
            for rules in (own.catalog.method.stance, ours.catalog.method.stance)
        ]
        yield f"rate {_DIRECTIONS[now]} ({limits[0]}), ours {_DIRECTIONS[was]} ({limits[1]})"
    was, now = ours.stance.balance_sheet_announced[i], own.stance.balance_sheet_announced[j]
    if was != now:
        yield f"announced balance sheet {_DIRECTIONS[now]}, ours {_DIRECTIONS[was]}"


def _own_state(ours: Regime, own: Regime, i: int, j: int) -> Iterator[str]:
    """Limits met on one side alone, among those that lead out of either state before; else what came earlier."""
    if INDETERMINATE in (ours.states.state[i], own.states.state[j]):
        for name in SCORED:
            was, now = ours.conditions[name].coverage[i], own.conditions[name].coverage[j]
            if np.isnan(ours.conditions[name].score[i]) != np.isnan(own.conditions[name].score[j]):
                yield f"{name} coverage {now:.2f}, ours {was:.2f}"
        return
    leading = {flip for r, k in ((ours, i), (own, j)) for flip in FLIPS[r.states.state[max(k - 1, 0)]]}
    found, (our_rules, own_rules) = False, (regime.catalog.method.state for regime in (ours, own))
    for was, now in zip(thresholds(our_rules), thresholds(own_rules), strict=True):
        ours_value, own_value = ours.scores.measures[was.measure][i], own.scores.measures[now.measure][j]
        if now.flip in leading and was.is_met(ours_value) != now.is_met(own_value):
            found = True
            does = "passes" if now.is_met(own_value) else "does not pass"
            most = "" if abs(own_value - ours_value) < 1e-9 else _most_of_it(ours, own, i, j)
            yield (
                f"{now.measure} {own_value:.3f} {does} {now.name} {now.sign} {now.limit:g}, "
                f"ours {ours_value:.3f} {was.sign} {was.limit:g}{most}"
            )
    if found:
        return
    if own_rules.confirmation_months != our_rules.confirmation_months:
        yield f"confirmed after {own_rules.confirmation_months} month-ends, ours {our_rules.confirmation_months}"
    else:
        since = [r.grid.as_of[run_starts(r.states.state)[k]] for r, k in ((own, j), (ours, i))]
        yield f"{own.states.state[j]} since {since[0]}, ours {ours.states.state[i]} since {since[1]}"


def _most_of_it(ours: Regime, own: Regime, i: int, j: int) -> str:
    """The component whose contribution differs most."""
    parts, other = contributions(ours), contributions(own)
    difference = other.contribution[:, j] - parts.contribution[:, i]
    k = int(np.argmax(np.abs(difference)))
    return f" (most of it {parts.components[k].name}, {difference[k]:+.3f})"


def _known(score: float) -> float | None:
    return None if np.isnan(score) else float(score)
