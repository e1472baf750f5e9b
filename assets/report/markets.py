"""Markets and money: the post's figures, premia, starts of purchases, assets, and the criteria of a bubble."""

from __future__ import annotations

from typing import Any

from assets.report.published import Release, Row

INFLATION = (2, 3, 4, 5)
STUDIED = {  # measures of event_study
    "real_10y": "Real 10-year yield",
    "erp_vs_nominal_10y": "Equity risk premium",
    "earnings_multiple": "Price over earnings",
}
# What the post gives, its reference value, our column of qe_phases, unit, what differs.
POST = (
    ("10-year Treasury yield", "post_nominal_10y_pct", "nominal_10y_pct", "percent", ""),
    ("Real 10-year yield", "post_real_10y_pct", "real_10y_pct", "percent", ""),
    ("Unemployment rate", "post_unemployment_rate_pct", "unemployment_rate_pct", "percent", ""),
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
# Starts of purchases with the change of each measure over the longest horizon.
_STARTS = """
SELECT phase, announced_on, list(s ORDER BY list_position($1, measure)) AS cells
FROM event_study AS s
WHERE horizon_months = (SELECT max(horizon_months) FROM event_study) AND list_contains($1, measure)
GROUP BY phase, announced_on ORDER BY announced_on
"""


def content(release: Release) -> dict[str, Any]:
    """What the template shows of this part."""
    return {
        "post": _post_rows(release),
        "starts": release.rows(_STARTS, list(STUDIED)),
        "is_comparable": is_comparable(release),
        "premia": _premia(release),
        "assets": {row["asset"]: row for row in release.newest_rows("relative_attractiveness")},
        "destination": release.newest("liquidity_destination"),
        "gauge": release.newest_rows("bubble_gauge", "criterion, measure"),
    }


def is_comparable(release: Release) -> bool:
    """Whether the level of the earnings yield means something: not on the basis of the national accounts."""
    return bool(release.today["earnings_yield_basis"] != "nipa")


def _post_rows(release: Release) -> list[Row]:
    """The post's own figures next to those known on its date."""
    known = release.phase("post")
    cited = {row["id"]: row["value"] for row in release.rows("SELECT id, value FROM reference_values")}
    return [
        {"name": name, "post": cited[reference], "ours": known[column], "unit": unit, "note": note}
        for name, reference, column, unit, note in POST
        if known is not None and reference in cited
    ]


def _premia(release: Release) -> list[tuple[str, Row]]:
    """The equity risk premium four ways: name, and row of the evidence, of the criteria or of the post's figures."""
    evidence = {row["component"]: row for row in release.evidence}
    gauge = [row for row in release.newest_rows("bubble_gauge") if row["measure"] == "excess_cape_yield"]
    cited = release.row("SELECT * FROM reference_values WHERE id = 'forward_equity_risk_premium_pp'")
    return [
        ("Earnings yield less the 10-year yield", evidence["erp_vs_nominal_10y"]),
        ("Earnings yield less the real 10-year yield", evidence["erp_vs_real_10y"]),
        *(("Excess CAPE yield, less the real 10-year yield", row) for row in gauge),
        ("The post: forward earnings yield less the 10-year", cited),
    ]
