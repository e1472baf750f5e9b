"""An own method next to ours: the month-ends whose label differs, each with the limit or the direction that does it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from assets.compute.conditions import SCORED
from assets.compute.diagnostics.attribution import contributions
from assets.compute.regime import Regime
from assets.compute.state import FLIPS, INDETERMINATE, run_starts, thresholds

Row = dict[str, Any]
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
            *(_of_stance(ours, own, i, j) if stance else ()),
            *(_of_state(ours, own, i, j) if state else ()),
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


def _of_stance(ours: Regime, own: Regime, i: int, j: int) -> Iterator[str]:
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


def _of_state(ours: Regime, own: Regime, i: int, j: int) -> Iterator[str]:
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
