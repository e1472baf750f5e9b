"""The caveats of a run: what the catalogue declares, whether it applies to the newest row, with its figures filled in.

Belongs here: the questions, and one row per input that is missing now. Does not belong here: wording
(`assets/catalog/caveats.toml`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from assets.catalog.models import Catalog

INPUTS = (
    "regime",
    "regime_evidence",
    "forward_returns",
    "regime_revised",
    "effective_weights",
    "method_variants",
    "late_figures",
    "equity_risk_premium",
)
Frames = Mapping[str, pd.DataFrame]
_NOT_BINDING = "not_binding"
_INDETERMINATE = "indeterminate"


def caveats_frame(frames: Frames, catalog: Catalog) -> pd.DataFrame:
    """Columns of `caveats`. `frames` holds the tables named in INPUTS, of one run."""
    facts = _facts(frames, catalog)
    applies = {**_answers(facts, frames, catalog), "always": True}
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


def _facts(frames: Frames, catalog: Catalog) -> dict[str, Any]:
    """What the texts name; "none" where there is nothing to name."""
    newest, robustness = frames["regime"].iloc[-1], catalog.method.robustness
    returns, weights, variants = (
        frames[n] for n in ("forward_returns", "effective_weights", "method_variants")
    )
    own = returns[returns["regime"] == newest["regime"]] if len(returns) else returns
    flagged = weights.loc[weights["is_flagged"].astype(bool), "item"].unique()
    plain = variants[variants["variant"] == "without_hysteresis"].set_index("as_of_date")["condition_variant"]
    state = frames["regime"].set_index("as_of_date")["condition_state"]
    scored = state.index[state != _INDETERMINATE]
    differing = 100.0 * float((plain[scored] != state[scored]).mean()) if len(scored) else 0.0
    return {
        "as_of_date": f"{newest['as_of_date']:%Y-%m-%d}",
        "ledger_last_checked": catalog.policy_events.last_checked.isoformat(),
        "indeterminate_reason": newest["indeterminate_reason"] or "none",
        "at_minimum": (newest["conditions_at_minimum_coverage"] or "none").replace(",", ", "),
        "distance_to_threshold": _number(newest["distance_to_threshold"], 3),
        "near_threshold": f"{robustness.near_threshold:g}",
        "score_p05": _number(newest["score_p05"], 2),
        "score_p95": _number(newest["score_p95"], 2),
        "spells": int(own["spells"].max()) if len(own) else 0,
        "closed_spells": int(own["closed_spells"].max()) if len(own) else 0,
        "late_figures": len(frames["late_figures"]),
        "effective_weight_gap": f"{robustness.effective_weight_gap:g}",
        "flagged_inputs": ", ".join(flagged) or "none",
        "hysteresis_pct": f"{differing:.0f}",
        "unverified_events": sum(event.mark == "M" for event in catalog.policy_events.events),
    }


def _answers(facts: Mapping[str, Any], frames: Frames, catalog: Catalog) -> dict[str, bool]:
    """Every question a caveat may ask of the newest row."""
    newest, price = frames["regime"].iloc[-1], frames["equity_risk_premium"].iloc[-1]
    near = catalog.method.robustness.near_threshold
    return {
        "is_sample": newest["profile"] == "sample",
        "is_pseudo": newest["pit_grade"] == "pseudo",
        "is_inside_month": not newest["is_month_end"],
        "is_stance_provisional": newest["is_stance_provisional"],
        "is_indeterminate": newest["regime"] == _INDETERMINATE,
        "has_label": newest["regime"] != _INDETERMINATE,
        "is_at_minimum_coverage": newest["conditions_at_minimum_coverage"] is not None,
        "is_spread_missing": newest["is_spread_missing"],
        "is_near_threshold": newest["distance_to_threshold"] <= near,
        "spans_threshold": _spans_threshold(newest, catalog),
        "is_price_a_market_value": price["equity_price_basis"] == "z1_market_value_usd_bn",
        "is_yield_from_national_accounts": price["earnings_yield_basis"] == "nipa",
        "has_no_revisions": not (frames["regime_revised"]["score_revision"].fillna(0) != 0).any(),
        "has_late_figures": facts["late_figures"] > 0,
        "has_flagged_weights": facts["flagged_inputs"] != "none",
        "has_unverified_events": facts["unverified_events"] > 0,
    }


def _spans_threshold(newest: pd.Series, catalog: Catalog) -> bool:
    """Whether a score threshold that leads out of the state lies within the range over drawn weights."""
    b, d = catalog.method.state.bubble, catalog.method.state.depression
    limits = {
        "bubble": [b.leave_score],
        "depression": [d.leave_score],
        "mid_cycle": [b.enter_score, d.enter_score],
    }
    return any(
        newest["score_p05"] <= limit <= newest["score_p95"]
        for limit in limits.get(str(newest["condition_state"]), [])
    )


def _missing_inputs(frames: Frames) -> list[dict[str, Any]]:
    """One row per component that has no figure on the newest date, with the reason."""
    evidence = frames["regime_evidence"]
    newest = evidence[evidence["as_of_date"] == evidence["as_of_date"].max()]
    absent = newest[newest["absent_reason"].notna() & (newest["absent_reason"] != _NOT_BINDING)]
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


def _number(value: float, decimals: int) -> str:
    return "none" if np.isnan(value) else f"{value:.{decimals}f}"
