"""The figures caveats name, from the tables of one run.

Belongs here: what the texts fill in, each as it is to be read. Does not belong here: wording
(`assets/catalog/caveats.toml`), whether a caveat applies (`caveats.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from assets.catalog.models import Catalog

Frames = Mapping[str, pd.DataFrame]
INDETERMINATE, NONE = "indeterminate", "none"
# beside the label: what is said of the newest date where it can be measured
_OVERLAYS = (
    "balance_sheet_test",
    "reserves_test",
    "monetisation_band",
    "is_coordinated",
    "is_maturity_shortening",
    "is_long_duration_leading",
    "is_melt_up",
    "is_ideal_time_to_sell_window",
)
_STANCE_INPUTS = {
    "the policy rate six months before": ("real_yields", "policy_rate_change_6m_pp"),
    "the balance-sheet impulse": ("reserve_growth", "balance_sheet_impulse_pct_gdp"),
}


def newest_of(frames: Frames, name: str) -> pd.Series:
    """Row of the newest date of a table with one row per date."""
    return frames[name].iloc[-1]


def facts_of(frames: Frames, catalog: Catalog) -> dict[str, Any]:
    """What the texts name; "none" where there is nothing to name."""
    newest, returns = newest_of(frames, "regime"), frames["forward_returns"]
    own = returns[returns["regime"] == newest["regime"]] if len(returns) else returns
    return {
        "as_of_date": f"{newest['as_of_date']:%Y-%m-%d}",
        "ledger_last_checked": catalog.policy_events.last_checked.isoformat(),
        "indeterminate_reason": newest["indeterminate_reason"] or NONE,
        "at_minimum": (newest["conditions_at_minimum_coverage"] or NONE).replace(",", ", "),
        "distance_to_threshold": _number(newest["distance_to_threshold"], 3),
        "spells": int(own["spells"].max()) if len(own) else 0,
        "closed_spells": int(own["closed_spells"].max()) if len(own) else 0,
        "late_figures": len(frames["late_figures"]),
        "unverified_events": sum(event.mark == "M" for event in catalog.policy_events.events),
        **_of_the_method(frames, catalog),
        **_beside_the_label(frames),
    }


def _of_the_method(frames: Frames, catalog: Catalog) -> dict[str, Any]:
    """How much hangs on parameters and weights."""
    robustness, newest = catalog.method.robustness, newest_of(frames, "regime")
    weights, variants = frames["effective_weights"], frames["method_variants"]
    flagged = weights.loc[weights["is_flagged"].astype(bool), "item"].unique()
    plain = variants[variants["variant"] == "without_hysteresis"].set_index("as_of_date")["condition_variant"]
    state = frames["regime"].set_index("as_of_date")["condition_state"]
    scored = state.index[state != INDETERMINATE]
    differs = plain[scored] != state[scored]
    grid = ("threshold_shifts", "valuation_rank_shares", "spread_weights", "confirmation_months")
    return {
        "near_threshold": f"{robustness.near_threshold:g}",
        "score_p05": _number(newest["score_p05"], 2),
        "score_p95": _number(newest["score_p95"], 2),
        "parameter_sets": int(np.prod([len(getattr(robustness, name)) for name in grid])),
        "agreement_pct": _number(100.0 * newest["agreement"], 0),
        "effective_weight_gap": f"{robustness.effective_weight_gap:g}",
        "flagged_inputs": _listed(flagged),
        "hysteresis_pct": f"{100.0 * differs.mean():.0f}" if len(scored) else "0",
        "hysteresis_last": f"{scored[differs][-1]:%Y-%m-%d}" if differs.any() else NONE,
        "rank_start": f"{catalog.method.grid.start:%B %Y}",
    }


def _beside_the_label(frames: Frames) -> dict[str, Any]:
    """What the overlays and the other tables can and cannot say of the newest date."""
    newest, debt = newest_of(frames, "regime"), newest_of(frames, "monetisation")
    absent = [
        text for text, (table, column) in _STANCE_INPUTS.items() if np.isnan(newest_of(frames, table)[column])
    ]
    gauge = frames["bubble_gauge"]
    measured = gauge[(gauge["as_of_date"] == gauge["as_of_date"].max()) & gauge["value"].notna()]
    day = debt["debt_quarter_end_date"]
    return {
        "stance_inputs_missing": _listed(absent),
        "overlays_missing": _listed(name for name in _OVERLAYS if pd.isna(newest[name])),
        "debt_quarter_end": NONE if pd.isna(day) else f"{day:%Y-%m-%d}",
        "debt_to_deficit": _number(debt["debt_change_12m_usd_bn"] / debt["deficit_to_quarter_end_usd_bn"], 2),
        "gauge_criteria": measured["criterion"].nunique(),
        "gauge_criteria_all": gauge["criterion"].nunique(),
        "money_correlation": _number(
            newest_of(frames, "money_and_rates")["m2_real_rate_correlation_full"], 2
        ),
    }


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or NONE


def _number(value: float, decimals: int) -> str:
    return NONE if np.isnan(value) else f"{value:.{decimals}f}"
