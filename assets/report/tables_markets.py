"""Tables about premia, assets, debt, the post's own figures and the sources, ready for the templates.

Belongs here: which columns are shown and how a cell reads. Does not belong here: markup, sentences.
"""

from __future__ import annotations

import re
from typing import Any

from assets.report.reading import USED, Release, Row
from assets.report.words import (
    ABSENT,
    RIGHTS_WORDS,
    capital,
    day,
    held_or,
    month,
    number,
    publisher_words,
    reason_words,
    with_unit,
)

# The end of a check's message where its one row is the series itself.
_SO_FAR = re.compile(r": not so in 1 of 1 rows")
_ASSETS = {
    "gold": "Gold",
    "treasury_10y": "10-year Treasury",
    "tips_10y": "10-year TIPS",
    "equities": "Equities, earnings yield",
    "cash": "Cash, 3-month bill",
}
_INFLATION = (2, 3, 4, 5)
_MEASURES = {
    "cape": "Price to ten years' earnings (CAPE)",
    "earnings_yield": "Earnings yield",
    "equity_value_to_gdp": "Equity value to GDP",
    "excess_cape_yield": "Excess CAPE yield",
    "growth_needed": "Growth needed to earn the usual premium",
    "implied_volatility": "Implied volatility (VIX)",
    "new_accounts_and_flows": "New accounts and fund flows",
    "nonfinancial_leverage": "Nonfinancial leverage (NFCI)",
    "forward_purchases": "Forward purchases",
}
_POST = (  # what the post says, its reference value, our column of qe_phases, unit, what differs
    ("10-year Treasury yield", "post_nominal_10y_pct", "nominal_10y_pct", "percent", ""),
    ("Real 10-year yield", "post_real_10y_pct", "real_10y_pct", "percent", ""),
    (
        "Unemployment rate",
        "post_unemployment_rate_pct",
        "unemployment_rate_pct",
        "percent",
        "",
    ),
    ("Growth over the year", "post_growth_pct", "real_gdp_yoy_pct", "percent", "Real GDP, year on year."),
    ("Inflation", "post_inflation_pct", "cpi_yoy_pct", "percent", "CPI, year on year."),
    (
        "Earnings yield",
        "post_forward_earnings_yield_pct",
        "earnings_yield_pct",
        "percent",
        "Forward in the post, trailing here.",
    ),
    (
        "Equity risk premium",
        "post_equity_risk_premium_pp",
        "erp_vs_nominal_10y_pp",
        "percentage points",
        "Each from its own earnings yield.",
    ),
)
_DESTINATION = (  # column of liquidity_destination, what it is, unit, the sign that says assets were bid up
    ("equity_real_return_12m_pct", "Equity prices, real", "percent", 1),
    ("real_10y_change_12m_pp", "Real 10-year yield", "percentage points", -1),
    ("earnings_multiple_change_12m_pct", "Price over earnings", "percent", 1),
    ("spread_change_12m_pp", "Credit spread", "percentage points", -1),
    ("gold_less_core_inflation_12m_pp", "Gold, less core inflation", "percentage points", 1),
    ("core_pce_yoy_change_12m_pp", "Core inflation", "percentage points", 0),
    ("wages_yoy_pct", "Wages, year on year", "percent", 0),
)


def asset_rows(release: Release) -> list[dict[str, Any]]:
    """Each asset's yield, what its price must do to match the 10-year, and what is left at each rate of inflation."""
    found = release.rows("SELECT * FROM relative_attractiveness WHERE as_of_date = ?", release.as_of)
    held = {row["asset"]: row for row in found}
    return [_asset_row(held[asset], name) for asset, name in _ASSETS.items() if asset in held]


def _asset_row(row: Row, name: str) -> dict[str, Any]:
    cells = []
    for i in _INFLATION:
        real, rise = (
            row[f"real_return_at_{i}pct_inflation_pct"],
            row[f"price_rise_needed_at_{i}pct_inflation_pct"],
        )
        cells.append(
            {
                "value": number(real if rise is None else rise, sign=True),
                "what": "" if rise is None else "price",
            }
        )
    return {
        "name": name,
        "yield": number(row["yield_pct"]),
        "match": number(row["price_change_to_match_10y_pp"], sign=True),
        "cells": cells
        if row["yield_pct"] is not None
        else [{"value": reason_words(row["absent_reason"]), "what": ""}],
    }


def premium_rows(release: Release) -> list[dict[str, str]]:
    """The equity risk premium four ways, never one number; an absent one with its reason."""
    evidence = {row["component"]: row for row in release.evidence}
    gauge = release.rows(
        "SELECT * FROM bubble_gauge WHERE as_of_date = ? AND measure = 'excess_cape_yield'", release.as_of
    )
    reference = release.row("SELECT * FROM reference_values WHERE id = 'forward_equity_risk_premium_pp'")
    rows = [
        _premium("Earnings yield less the 10-year yield", evidence["erp_vs_nominal_10y"]),
        _premium("Earnings yield less the real 10-year yield", evidence["erp_vs_real_10y"]),
        *(_premium("Excess CAPE yield, less the real 10-year yield", row) for row in gauge),
    ]
    return [
        *rows,
        {
            "name": "The post: forward earnings yield less the 10-year",
            "value": with_unit(reference["value"], reference["unit"]),
            "rank": "no history",
            "why": "",
            "observed": day(reference["as_of"]),
        },
    ]


def _premium(name: str, row: Row) -> dict[str, str]:
    if row["value"] is None:
        return {"name": name, "why": reason_words(row["absent_reason"]), "observed": ABSENT}
    rank = row["percentile"]
    return {
        "name": name,
        "value": with_unit(row["value"], row["unit"]),
        "rank": "no rank yet" if rank is None else number(100 * rank, 0),
        "why": "",
        "observed": month(row["observation_date"]),
    }


def post_rows(release: Release) -> list[dict[str, str]]:
    """The post's own figures beside what these tables knew on its day."""
    known = next((row for row in release.phases if row["phase"] == "post"), None)
    said = {row["id"]: row for row in release.rows("SELECT * FROM reference_values")}
    if known is None:
        return []
    return [
        {
            "name": name,
            "post": with_unit(said[reference]["value"], unit, 1),
            "ours": with_unit(known[column], unit),
            "note": note,
        }
        for name, reference, column, unit, note in _POST
        if reference in said
    ]


def destination_rows(release: Release) -> list[dict[str, str]]:
    """Twelve-month changes side by side, and whether each says that assets were bid up."""
    row = release.newest("liquidity_destination")
    rows = []
    for column, name, unit, sign in _DESTINATION:
        value = row[column]
        said = "" if value is None or not sign else ("bid up" if value * sign > 0 else "not bid up")
        rows.append(
            {
                "name": name,
                "value": with_unit(value, unit, sign=True),
                "reading": reason_words("absent") if value is None else said or "goods and labour",
            }
        )
    return rows


def gauge_rows(release: Release) -> list[dict[str, Any]]:
    """Dalio's six criteria with their measures; what cannot be measured with the reason."""
    rows = release.rows(
        "SELECT * FROM bubble_gauge WHERE as_of_date = ? ORDER BY criterion, measure", release.as_of
    )
    return [
        {
            "criterion": row["criterion"],
            "question": row["question"],
            "name": _MEASURES.get(row["measure"], capital(row["measure"].replace("_", " "))),
            "value": held_or(with_unit(row["value"], row["unit"]), row),
            "place": None if row["heat"] is None else round(100 * row["heat"], 1),
            "heat": number(None if row["heat"] is None else 100 * row["heat"], 0),
            "why": reason_words(row["absent_reason"]) if row["vintage_source"] is None else "no rank yet",
        }
        for row in rows
    ]


def warning_rows(release: Release) -> list[dict[str, str]]:
    """Checks that did not hold, worst first, in the words of the check."""
    rows = release.rows(
        "SELECT asset_key, check_name, severity, message FROM check_results WHERE NOT passed "
        "ORDER BY severity, asset_key, check_name LIMIT 20"
    )
    return [
        {
            "asset": row["asset_key"].rpartition("/")[2],
            "severity": row["severity"].lower(),
            "said": capital(_SO_FAR.sub("", row["message"].partition(", first:")[0])),
        }
        for row in rows
    ]


def source_rows(release: Release) -> list[dict[str, Any]]:
    """A row per publisher: its releases with their series, the newest observation among them, and the rights."""
    rows = release.rows(
        "SELECT publisher, list(series_id ORDER BY series_id) AS ids, max(last_observation) AS newest, "
        "list(DISTINCT rights ORDER BY rights) AS rights FROM series AS s "
        f"WHERE is_published OR (rights = 'restricted' AND {USED}) GROUP BY publisher ORDER BY publisher"
    )
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(publisher_words(row["publisher"]), []).append(row)
    return [
        {
            "publisher": name,
            "releases": [
                {"name": row["publisher"].partition(", ")[2], "ids": ", ".join(row["ids"])} for row in held
            ],
            "newest": day(max((row["newest"] for row in held if row["newest"]), default=None)),
            "rights": ", ".join(
                dict.fromkeys(RIGHTS_WORDS.get(right, right) for row in held for right in row["rights"])
            ),
        }
        for name, held in grouped.items()
    ]
