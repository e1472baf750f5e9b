"""What stands beside the label: tests, flags, grades and reasons. None of it changes the label.

Belongs here: small formulas over conditions and readings. Does not belong here: scores, state, stance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from assets.compute.calendar import period_end
from assets.compute.conditions import Component, Condition
from assets.compute.grid import Grid
from assets.compute.reading import Floats, Texts, texts
from assets.compute.state import INDETERMINATE

if TYPE_CHECKING:
    from assets.catalog.method import Method
    from assets.catalog.models import Catalog, Series

_PERIOD_DAYS = {"D": 1, "W": 7, "M": 31, "Q": 92}


def balance_sheet_test(growth_pct: Floats, excess_pp: Floats, leaning_limit_pp: float) -> Texts:
    """`shrinking`, `technical` (growth only keeps pace), `leaning` or `stimulative`; None where not measurable."""
    named = np.select(
        [growth_pct < 0, excess_pp <= 0, excess_pp <= leaning_limit_pp],
        ["shrinking", "technical", "leaning"],
        "stimulative",
    )
    known = ~np.isnan(growth_pct) & (~np.isnan(excess_pp) | (growth_pct < 0))
    return texts(known, named)


def melt_up(impulse_pct_gdp: Floats, return_12m_pct: Floats, method: Method) -> Texts:
    """Liquidity and price both rising fast; None where one is not measurable. Not a valuation measure."""
    rules = method.melt_up
    both = (impulse_pct_gdp >= rules.impulse_pct_gdp) & (return_12m_pct >= rules.return_12m_pct)
    return texts(np.isnan(impulse_pct_gdp) | np.isnan(return_12m_pct), None, both)


def time_to_sell(state: Texts, stance: Texts, is_melt_up: Texts) -> Texts:
    """The post's window: a bubble still being fed, before the tightening that ends it. Its phrase, no advice.

    None where it hangs on what is not known: the state, or a melt-up beside a neutral stance.
    """
    fed = np.where(stance == "stimulus", True, np.where(stance == "neutral", is_melt_up, False))
    window = texts(state == "bubble", fed, False)
    return texts(state == INDETERMINATE, None, window)


def distance_to_threshold(score: Floats, state: Texts, method: Method) -> Floats:
    """Distance of the score from the nearest score threshold in force, in score points; NaN without a score."""
    b, d = method.state.bubble, method.state.depression
    from_mid = np.minimum(np.abs(score - b.enter_score), np.abs(score - d.enter_score))
    return np.select(
        [state == "bubble", state == "depression"],
        [np.abs(score - b.leave_score), np.abs(score - d.leave_score)],
        from_mid,
    )


def conditions_at_minimum(conditions: Mapping[str, Condition], names: Sequence[str], method: Method) -> Texts:
    """Names of the conditions that rest on exactly the coverage that is needed, comma separated; None for none."""
    at = [np.where(conditions[n].coverage == method.coverage.minimum, n, "") for n in names]
    return np.array([",".join(filter(None, row)) or None for row in zip(*at, strict=True)], dtype=object)


def indeterminate_reason(conditions: Mapping[str, Condition], names: Sequence[str], method: Method) -> Texts:
    """Which conditions lack coverage and which inputs that is for, in words; None where all are scored."""
    n = len(conditions[names[0]].score)
    reasons: list[list[str]] = [[] for _ in range(n)]
    for name in names:
        condition = conditions[name]
        for i in np.flatnonzero(np.isnan(condition.score)):
            missing = ", ".join(
                f"{c.name} {absence(c, int(i))}" for c in condition.components if np.isnan(c.score[i])
            )
            reasons[i].append(
                f"{name} coverage {condition.coverage[i]:.2f} is below {method.coverage.minimum:.2f} ({missing})"
            )
    return np.array(["; ".join(r) or None for r in reasons], dtype=object)


def absence(component: Component, i: int) -> str | None:
    """Why a component has no score on one date; None where it has one."""
    if not np.isnan(component.score[i]):
        return None
    return component.reading.absent_reason[i] or "history_too_short"


def pit_grade(conditions: Mapping[str, Condition]) -> Texts:
    """`pseudo` where a figure that gets revised was reconstructed by lag rule, else `real_time`."""
    pseudo = np.logical_or.reduce(
        [
            (w > 0) & comp.reading.is_pseudo
            for c in conditions.values()
            for comp, w in zip(c.components, c.weights, strict=True)
        ]
    )
    return texts(pseudo, "pseudo", "real_time")


def freshness(
    conditions: Mapping[str, Condition], names: Sequence[str], grid: Grid, catalog: Catalog
) -> Floats:
    """Weighted mean over components of 1 (as fresh as its release allows) to 0 (at its staleness limit)."""
    total, weight = np.zeros(len(grid)), np.zeros(len(grid))
    for name in names:
        for component, w in zip(conditions[name].components, conditions[name].weights, strict=True):
            fresh = np.nan_to_num(_freshness(component, grid, catalog))
            total, weight = total + w * fresh, weight + w
    return np.divide(total, weight, out=np.full(len(grid), np.nan), where=weight > 0)


def _freshness(component: Component, grid: Grid, catalog: Catalog) -> Floats:
    """Of the component's slowest input: the longest staleness limit among those it names, then the longest lag."""
    reading, out = component.reading, np.full(len(grid), np.nan)
    for ids in {i for i in reading.series_ids if i}:
        slowest = max((catalog.series[i] for i in ids.split(",")), key=_slowness)
        if slowest.staleness_limit_days == 0:
            continue
        rows = (reading.series_ids == ids) & reading.present
        age = (grid.as_of - period_end(reading.observation_date, slowest.frequency)).astype("float64")
        normal = slowest.release_lag_days + _PERIOD_DAYS[slowest.frequency]
        out[rows] = np.clip(1.0 - (age - normal) / (slowest.staleness_limit_days - normal), 0.0, 1.0)[rows]
    return out


def _slowness(series: Series) -> tuple[int, int]:
    return series.staleness_limit_days, series.release_lag_days
