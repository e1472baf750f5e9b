"""Caveats of a run: the declared ones with their figures filled in, and one per input missing now."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog
from assets.compute.regime import NOT_BINDING, PARAMETERS
from assets.compute.state import INDETERMINATE, score_limits

INPUTS = (
    "regime", "regime_evidence", "forward_returns", "regime_revised", "effective_weights", "method_variants",
    "late_figures", "equity_risk_premium", "real_yields", "reserve_growth", "monetisation", "money_and_rates",
    "bubble_gauge",
)  # fmt: skip
Frames = Mapping[str, pd.DataFrame]
NONE = "none"
_CLAIMS = "ICSA"
# columns shown next to the label where they can be measured
_OVERLAYS = (
    "balance_sheet_test", "reserves_test", "monetisation_band", "is_coordinated", "is_maturity_shortening",
    "is_long_duration_leading", "is_melt_up", "is_ideal_time_to_sell_window",
)  # fmt: skip
_STANCE_INPUTS = {
    "the policy rate six months before": ("real_yields", "policy_rate_change_6m_pp"),
    "the balance-sheet impulse": ("reserve_growth", "balance_sheet_impulse_pct_gdp"),
}


def caveats_frame(frames: Frames, catalog: Catalog) -> pd.DataFrame:
    """Columns of `caveats`. `frames` holds the tables named in INPUTS, of one run."""
    facts = facts_of(frames, catalog)
    applies = {**_applies(facts, frames, catalog), "always": True}
    rows = [
        {
            "caveat_id": caveat.id,
            "kind": caveat.kind,
            "severity": caveat.severity,
            "affected_columns": ", ".join(caveat.affects),
            "text": caveat.text.format(**facts),
            "applies_now": bool(applies[caveat.applies]),
        }
        for caveat in catalog.caveats.values()
    ]
    return pd.DataFrame([*rows, *_missing_inputs(frames)])


def _applies(facts: Mapping[str, Any], frames: Frames, catalog: Catalog) -> dict[str, bool]:
    """Every condition under which a caveat can apply to the newest row."""
    newest, price = newest_of(frames, "regime"), newest_of(frames, "equity_risk_premium")
    distorted = newest_of(frames, "monetisation")["is_denominator_distorted"]
    near = catalog.method.robustness.near_threshold
    return {
        "is_sample": newest["profile"] == "sample",
        "is_pseudo": newest["pit_grade"] == "pseudo",
        "is_inside_month": not newest["is_month_end"],
        "is_stance_provisional": newest["is_stance_provisional"],
        "is_indeterminate": newest["regime"] == INDETERMINATE,
        "has_label": newest["regime"] != INDETERMINATE,
        "is_at_minimum_coverage": newest["conditions_at_minimum_coverage"] is not None,
        "is_spread_missing": newest["is_spread_missing"],
        "is_near_threshold": newest["distance_to_threshold"] <= near,
        "spans_threshold": _spans_threshold(newest, catalog),
        "is_price_a_market_value": price["equity_price_basis"] == "z1_market_value_usd_bn",
        "is_yield_from_national_accounts": price["earnings_yield_basis"] == "nipa",
        "has_no_revisions": not _is_revised(frames["regime_revised"]),
        "has_late_figures": facts["late_figures"] > 0,
        "has_flagged_weights": facts["flagged_inputs"] != NONE,
        "lacks_stance_input": facts["stance_inputs_missing"] != NONE,
        "lacks_overlay": facts["overlays_missing"] != NONE,
        "is_debt_change_distorted": pd.notna(distorted) and bool(distorted),
        "has_late_claims": facts["claims_age_days"] > catalog.series[_CLAIMS].staleness_limit_days,
        "has_correlation": facts["money_correlation"] != NONE,
        "has_unverified_events": facts["unverified_events"] > 0,
    }


def _spans_threshold(newest: pd.Series, catalog: Catalog) -> bool:
    """Whether a score threshold that leads out of the state lies within the range over drawn weights."""
    limits = score_limits(str(newest["condition_state"]), catalog.method.state)
    return any(newest["score_p05"] <= limit <= newest["score_p95"] for limit in limits)


def _is_revised(revised: pd.DataFrame) -> bool:
    """Whether today's figures move any score or change any label."""
    moved = revised["score_revision"].fillna(0) != 0
    return bool((moved | ~revised["is_same_regime"].astype(bool)).any())


def _missing_inputs(frames: Frames) -> list[dict[str, Any]]:
    """One row per component that has no figure on the newest date, with the reason."""
    evidence = frames["regime_evidence"]
    newest = evidence[evidence["as_of_date"] == evidence["as_of_date"].max()]
    absent = newest[newest["absent_reason"].notna() & (newest["absent_reason"] != NOT_BINDING)]
    return [
        {
            "caveat_id": f"missing_{row.component}",
            "kind": "missing",
            "severity": "caution",
            "affected_columns": f"regime.{row.condition}_score",
            "text": f"{row.component} does not count on the newest date: {str(row.absent_reason).replace('_', ' ')} "
            f"({row.series_ids}). The weights of the others are renormalised.",
            "applies_now": True,
        }
        for row in absent.itertuples()
    ]


def newest_of(frames: Frames, name: str) -> pd.Series:
    """Row of the newest date of a table with one row per date."""
    return frames[name].iloc[-1]


def facts_of(frames: Frames, catalog: Catalog) -> dict[str, Any]:
    """Figures that the texts name; "none" where there is nothing to name."""
    newest, returns = newest_of(frames, "regime"), frames["forward_returns"]
    own = returns[returns["regime"] == newest["regime"]] if len(returns) else returns
    return {
        "as_of_date": f"{newest['as_of_date']:%Y-%m-%d}",
        "ledger_last_checked": catalog.policy_events.last_checked.isoformat(),
        "desk_notices_until": catalog.policy_events.desk_notices_until.isoformat(),
        "indeterminate_reason": newest["indeterminate_reason"] or NONE,
        "at_minimum": (newest["conditions_at_minimum_coverage"] or NONE).replace(",", ", "),
        "distance_to_threshold": _number(newest["distance_to_threshold"], 3),
        "spells": int(own["spells"].max()) if len(own) else 0,
        "closed_spells": int(own["closed_spells"].max()) if len(own) else 0,
        "late_figures": len(frames["late_figures"]),
        "claims_age_days": _claims_age(frames),
        "unverified_events": sum(event.mark == "M" for event in catalog.policy_events.events),
        **_of_the_method(frames, catalog),
        **_of_other_tables(frames),
    }


def _claims_age(frames: Frames) -> int:
    """Days from the newest claims that count to the newest date; 0 where none count."""
    evidence = frames["regime_evidence"]
    of_claims = evidence[evidence["series_ids"] == _CLAIMS]
    newest = of_claims[of_claims["as_of_date"] == evidence["as_of_date"].max()]
    age = (newest["as_of_date"] - newest["observation_date"]).dt.days.max()
    return 0 if pd.isna(age) else int(age)


def _of_the_method(frames: Frames, catalog: Catalog) -> dict[str, Any]:
    """How much depends on parameters and weights."""
    robustness, newest = catalog.method.robustness, newest_of(frames, "regime")
    weights, variants = frames["effective_weights"], frames["method_variants"]
    flagged = weights.loc[weights["is_flagged"].astype(bool), "item"].unique()
    plain = variants[variants["variant"] == "without_hysteresis"].set_index("as_of_date")
    state = frames["regime"].set_index("as_of_date")["condition_state"]
    scored = state.index[state != INDETERMINATE]
    differs = plain["condition_state_variant"][scored] != state[scored]
    return {
        "near_threshold": f"{robustness.near_threshold:g}",
        "score_p05": _number(newest["score_p05"], 2),
        "score_p95": _number(newest["score_p95"], 2),
        "parameter_sets": int(np.prod([len(getattr(robustness, name)) for name in PARAMETERS])),
        "agreement_pct": _number(100.0 * newest["agreement"], 0),
        "effective_weight_gap": f"{robustness.effective_weight_gap:g}",
        "flagged_inputs": _listed(flagged),
        "hysteresis_pct": f"{100.0 * differs.mean():.0f}" if len(scored) else "0",
        "hysteresis_last": f"{scored[differs][-1]:%Y-%m-%d}" if differs.any() else NONE,
        "rank_start": f"{catalog.method.grid.start:%B %Y}",
    }


def _of_other_tables(frames: Frames) -> dict[str, Any]:
    """Overlays and inputs of the newest date, present and missing."""
    newest, debt = newest_of(frames, "regime"), newest_of(frames, "monetisation")
    absent = [
        text for text, (table, name) in _STANCE_INPUTS.items() if np.isnan(newest_of(frames, table)[name])
    ]
    correlation = newest_of(frames, "money_and_rates")["m2_real_rate_correlation_full"]
    to_deficit = debt["debt_change_12m_usd_bn"] / debt["deficit_12m_to_debt_date_usd_bn"]
    gauge = frames["bubble_gauge"]
    measured = gauge[(gauge["as_of_date"] == gauge["as_of_date"].max()) & gauge["value"].notna()]
    day = debt["debt_date"]
    return {
        "stance_inputs_missing": _listed(absent),
        "overlays_missing": _listed(name for name in _OVERLAYS if pd.isna(newest[name])),
        "debt_quarter_end": NONE if pd.isna(day) else f"{day:%Y-%m-%d}",
        "debt_to_deficit": _number(to_deficit, 2),
        "gauge_criteria": measured["criterion"].nunique(),
        "gauge_criteria_all": gauge["criterion"].nunique(),
        "money_correlation": _number(correlation, 2),
    }


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or NONE


def _number(value: float, decimals: int) -> str:
    return NONE if np.isnan(value) else f"{value:.{decimals}f}"
