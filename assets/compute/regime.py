"""The regime of every date, and what is published next to the label without changing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute.calendar import period_end, previous_month_end
from assets.compute.conditions import (
    Component,
    Condition,
    Readings,
    Scorer,
    credit,
    economy,
    inflation,
    valuation,
)
from assets.compute.grid import Grid, row_kinds
from assets.compute.reading import Floats, Texts, is_none, texts
from assets.compute.robustness import agreement, score_range
from assets.compute.stance import PolicyStance, policy_stance
from assets.compute.state import INDETERMINATE, Scores, States, fast_entry, spells, states

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


# what the derived tables say of the day, shown beside the label
OVERLAYS = {
    "is_coordinated": "monetisation",
    "is_maturity_shortening": "fiscal_and_debt",
    "is_long_duration_leading": "liquidity_destination",
}
SCORED = ("valuation", "economy", "credit")  # in the score; inflation stands beside it


@dataclass(frozen=True)
class Regime:
    """Everything computed for the grid, before it becomes tables."""

    grid: Grid
    conditions: Mapping[str, Condition]
    bubble_score: Floats
    states: States
    agreement: Floats  # share of the parameter grid in the same state
    stance: PolicyStance
    label: Texts


@dataclass(frozen=True)
class Labels:
    """The label of every grid date and what it is made of; `conditions` are those in the score."""

    conditions: Mapping[str, Condition]
    bubble_score: Floats
    states: States
    stance: PolicyStance
    label: Texts


def build_regime(readings: Readings, grid: Grid, catalog: Catalog) -> Regime:
    """Label of every grid date with what stands beside it. `readings` by "table.column"."""
    method, said = catalog.method, build_labels(readings, grid, catalog)
    conditions = {**said.conditions, "inflation": inflation(Scorer(readings, grid, method))}
    fast = fast_entry(scores_of(said.bubble_score, conditions, readings), method.state)
    agreed = agreement(conditions, said.states.state, grid.is_month_end, fast, method)
    return Regime(grid, conditions, said.bubble_score, said.states, agreed, said.stance, said.label)


def build_labels(
    readings: Readings, grid: Grid, catalog: Catalog, ranks: Mapping[str, Floats] | None = None
) -> Labels:
    """Conditions in the score, state, stance and label of every grid date; `ranks` are those already known."""
    method, ledger = catalog.method, catalog.policy_events
    scorer = Scorer(readings, grid, method, ranks)
    conditions = {c.name: c for c in (valuation(scorer), economy(scorer), credit(scorer))}
    score = np.mean([conditions[name].score for name in SCORED], axis=0)
    state = states(scores_of(score, conditions, readings), grid.is_month_end, method.state)
    stance = policy_stance(
        readings["real_yields.policy_rate_change_6m_pp"].value,
        readings["reserve_growth.balance_sheet_impulse_pct_gdp"].value,
        grid.as_of,
        ledger.events,
        np.datetime64(ledger.last_checked, "D"),
        method.stance,
    )
    return Labels(conditions, score, state, stance, regime_name(state.state, stance.stance))


def scores_of(bubble: Floats, conditions: Mapping[str, Condition], readings: Readings) -> Scores:
    """What the state depends on."""
    return Scores(
        bubble,
        conditions["valuation"].score,
        conditions["economy"].score,
        conditions["credit"].score,
        sahm_gap_pp=readings["activity_inflation.sahm_gap_pp"].value,
        claims_change_pct=readings["activity_inflation.claims_change_pct"].value,
    )


def regime_name(state: Texts, stance: Texts) -> Texts:
    """`stimulus_into_bubble` and its eight siblings; `indeterminate` whatever the stance."""
    names = [
        INDETERMINATE
        if s == INDETERMINATE
        else f"neutral_{s}"
        if p == "neutral"
        else f"{p}_into_{s}"
        if s != "mid_cycle"
        else f"{p}_{s}"
        for s, p in zip(state, stance, strict=True)
    ]
    return np.array(names, dtype=object)


def regime_frame(
    regime: Regime, readings: Readings, tables: Mapping[str, pd.DataFrame], catalog: Catalog
) -> pd.DataFrame:
    """One row per grid date, the columns of the catalogue's `regime` table except those publication adds."""
    method, grid, c = catalog.method, regime.grid, regime.conditions
    coverage = np.min([c[name].coverage for name in SCORED], axis=0)
    fresh = freshness(c, SCORED, grid, catalog)
    at_minimum = conditions_at_minimum(c, SCORED, method)
    impulse = readings["reserve_growth.balance_sheet_impulse_pct_gdp"].value
    is_melt_up = melt_up(impulse, readings["equity_risk_premium.equity_return_12m_pct"].value, method)
    limit = method.balance_sheet.leaning_limit_pp
    low, high = score_range(c, method)
    growth = "reserve_growth"
    return pd.DataFrame(
        {
            "as_of_date": grid.as_of.astype("datetime64[s]"),
            "is_month_end": grid.is_month_end,
            "row_kind": row_kinds(grid, method.row_kinds),
            "regime": regime.label,
            "stance": regime.stance.stance,
            "stance_realised": regime.stance.realised,
            "stance_driver": regime.stance.driver,
            "condition_state": regime.states.state,
            "provisional_condition": regime.states.provisional,
            "bubble_score": regime.bubble_score,
            **{f"{name}_score": c[name].score for name in (*SCORED, "inflation")},
            "coverage": coverage,
            **{f"{name}_coverage": c[name].coverage for name in SCORED},
            "freshness": fresh,
            "agreement": regime.agreement,
            "confidence": coverage * fresh * regime.agreement,
            "conditions_at_minimum_coverage": at_minimum,
            "indeterminate_reason": indeterminate_reason(c, SCORED, method),
            "is_spread_missing": tables["credit_spreads"]["is_spread_missing"].to_numpy(),
            "distance_to_threshold": distance_to_threshold(regime.bubble_score, regime.states.state, method),
            "regime_since": _since(regime.label, grid),
            "balance_sheet_test": balance_sheet_test(
                readings[f"{growth}.fed_assets_growth_26w_pct"].value,
                readings[f"{growth}.excess_growth_pp"].value,
                limit,
            ),
            "reserves_test": balance_sheet_test(
                readings[f"{growth}.reserve_balances_growth_26w_pct"].value,
                readings[f"{growth}.reserve_excess_growth_pp"].value,
                limit,
            ),
            "monetisation_band": tables["monetisation"]["monetisation_band"].to_numpy(dtype=object),
            **{name: tables[table][name].to_numpy(dtype=object) for name, table in OVERLAYS.items()},
            "is_melt_up": is_melt_up,
            "is_ideal_time_to_sell_window": time_to_sell(
                regime.states.state, regime.stance.stance, is_melt_up
            ),
            "rate_direction": regime.stance.rate,
            "balance_sheet_direction_realised": regime.stance.balance_sheet_realised,
            "balance_sheet_direction_announced": regime.stance.balance_sheet_announced,
            "is_stance_provisional": regime.stance.is_provisional,
            "pit_grade": pit_grade(c),
            "method_version": method.method_version,
            "method_sha256": method.method_sha256,
            "score_p05": low,
            "score_p95": high,
            **bases_of(regime.label, tables["equity_risk_premium"], grid),
        }
    )


def bases_of(label: Texts, equity: pd.DataFrame, grid: Grid) -> dict[str, Texts | np.ndarray]:
    """Basis of earnings and of price, and whether the label changed in a month in which one of them did."""
    named = {
        name: equity[name].to_numpy(dtype=object) for name in ("earnings_yield_basis", "equity_price_basis")
    }
    then = previous_month_end(grid.is_month_end)
    changed = np.zeros(len(grid), dtype=bool)
    for basis in named.values():
        changed |= ~is_none(basis) & ~is_none(basis[then]) & (basis != basis[then])
    return {**named, "basis_changed": changed & (then >= 0) & (label != label[then])}


def _since(label: Texts, grid: Grid) -> np.ndarray:
    """First date of the run of equal labels each date belongs to."""
    since = grid.as_of.copy()
    for first, last in spells(label):
        since[first : last + 1] = grid.as_of[first]
    return since.astype("datetime64[s]")
