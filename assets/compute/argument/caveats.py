"""The caveats of a run: what the catalogue declares, whether it applies to the newest row, with its figures filled in.

Belongs here: the questions, and one row per input that is missing now. Does not belong here: wording
(`assets/catalog/caveats.toml`), the figures it names (`caveat_facts.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from assets.compute.argument.caveat_facts import INDETERMINATE, NONE, Frames, facts_of, newest_of

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
    "real_yields",
    "reserve_growth",
    "monetisation",
    "money_and_rates",
    "bubble_gauge",
)
_NOT_BINDING = "not_binding"


def caveats_frame(frames: Frames, catalog: Catalog) -> pd.DataFrame:
    """Columns of `caveats`. `frames` holds the tables named in INPUTS, of one run."""
    facts = facts_of(frames, catalog)
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


def _answers(facts: Mapping[str, Any], frames: Frames, catalog: Catalog) -> dict[str, bool]:
    """Every question a caveat may ask of the newest row."""
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
        "has_correlation": facts["money_correlation"] != NONE,
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


def _is_revised(revised: pd.DataFrame) -> bool:
    """Whether today's figures move any score or change any label."""
    moved = revised["score_revision"].fillna(0) != 0
    return bool((moved | ~revised["is_same_regime"].astype(bool)).any())


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
