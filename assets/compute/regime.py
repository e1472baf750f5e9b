"""The regime of every date: what the easing, or the tightening, is poured into (methodology, "Regime").

Belongs here: scores, state and stance put together, and what stands beside the label, never inside it.
Does not belong here: figures (`tables/`), the evidence rows (`evidence.py`), when a row was published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute import overlays
from assets.compute.calendar import previous_month_end
from assets.compute.conditions import Condition, Readings, Scorer, credit, economy, inflation, valuation
from assets.compute.grid import Grid
from assets.compute.kinds import row_kinds
from assets.compute.reading import Floats, Texts, is_none
from assets.compute.robustness import agreement
from assets.compute.score_range import score_range
from assets.compute.stance import PolicyStance, policy_stance
from assets.compute.state import INDETERMINATE, Scores, States, fast_entry, spells, states

if TYPE_CHECKING:
    from assets.catalog.models import Catalog

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
    fresh = overlays.freshness(c, SCORED, grid, catalog)
    at_minimum = overlays.conditions_at_minimum(c, SCORED, method)
    impulse = readings["reserve_growth.balance_sheet_impulse_pct_gdp"].value
    melt_up = overlays.melt_up(impulse, readings["equity_risk_premium.equity_return_12m_pct"].value, method)
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
            "indeterminate_reason": overlays.indeterminate_reason(c, SCORED, method),
            "is_spread_missing": tables["credit_spreads"]["is_spread_missing"].to_numpy(),
            "distance_to_threshold": overlays.distance_to_threshold(
                regime.bubble_score, regime.states.state, method
            ),
            "regime_since": _since(regime.label, grid),
            "balance_sheet_test": overlays.balance_sheet_test(
                readings[f"{growth}.fed_assets_growth_26w_pct"].value,
                readings[f"{growth}.excess_growth_pp"].value,
                limit,
            ),
            "reserves_test": overlays.balance_sheet_test(
                readings[f"{growth}.reserve_balances_growth_26w_pct"].value,
                readings[f"{growth}.reserve_excess_growth_pp"].value,
                limit,
            ),
            "monetisation_band": tables["monetisation"]["monetisation_band"].to_numpy(dtype=object),
            **{name: tables[table][name].to_numpy(dtype=object) for name, table in OVERLAYS.items()},
            "is_melt_up": melt_up,
            "is_ideal_time_to_sell_window": overlays.time_to_sell(
                regime.states.state, regime.stance.stance, melt_up
            ),
            "rate_direction": regime.stance.rate,
            "balance_sheet_direction_realised": regime.stance.balance_sheet_realised,
            "balance_sheet_direction_announced": regime.stance.balance_sheet_announced,
            "is_stance_provisional": regime.stance.is_provisional,
            "pit_grade": overlays.pit_grade(c),
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
