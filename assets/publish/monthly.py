"""The view `monthly`: one row per month-end with labels, scores, ranks and raw figures, each column once.

It has no figure of its own. `_COLUMNS` names the columns of published tables it shows, `_RANKED` those that are a
component of a condition, which bring their rank. Types, units and definitions are those of the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator

from assets.catalog.models import Catalog, Column, Table

MONTHLY = "monthly"
_COLUMNS = {
    "regime": (
        "as_of_date", "regime", "stance", "stance_realised", "condition_state", "policy_level", "bubble_score",
        "valuation_score", "economy_score", "credit_score", "inflation_score", "distance_to_threshold", "coverage",
        "confidence", "pit_grade", "row_kind", "balance_sheet_test", "monetisation_band", "is_coordinated",
        "earnings_yield_basis", "real_policy_rate_pct", "policy_gap_r10_pp",
    ),
    "real_yields": (
        "policy_rate_pct", "nominal_10y_pct", "real_10y_pct", "expected_inflation_10y_pct",
    ),
    "activity_inflation": ("cpi_yoy_pct",),
    "reserve_growth": (
        "fed_assets_usd_bn", "reserve_balances_usd_bn", "reserve_balances_pct_gdp",
        "balance_sheet_impulse_pct_gdp",
    ),
    "monetisation": ("share_12m_pct",),
    "fiscal_and_debt": ("deficit_12m_pct_gdp", "debt_held_by_public_pct_gdp"),
    "money_and_rates": ("m2_yoy_pct",),
    "liquidity_destination": ("destination", "gold_return_12m_pct", "real_gold_usd_per_oz"),
}  # fmt: skip
# By component of regime_evidence.
_RANKED = {
    "earnings_yield": ("equity_risk_premium", "earnings_yield_pct"),
    "erp_vs_nominal_10y": ("equity_risk_premium", "erp_vs_nominal_10y_pp"),
    "erp_vs_real_10y": ("equity_risk_premium", "erp_vs_real_10y_pp"),
    "equity_value_to_gdp": ("equity_risk_premium", "equity_value_pct_gdp"),
    "cape": ("equity_risk_premium", "cape"),
    "equity_drawdown": ("equity_risk_premium", "equity_drawdown_pct"),
    "equity_return_12m": ("equity_risk_premium", "equity_return_12m_pct"),
    "unemployment": ("activity_inflation", "unemployment_rate_pct"),
    "real_gdp_growth": ("activity_inflation", "real_gdp_yoy_pct"),
    "sahm_gap": ("activity_inflation", "sahm_gap_pp"),
    "claims_change": ("activity_inflation", "claims_change_pct"),
    "core_pce_inflation": ("activity_inflation", "core_pce_yoy_pct"),
    "excess_bond_premium": ("credit_spreads", "ebp_pp"),
    "baa_10y_spread": ("credit_spreads", "baa_10y_pp"),
    "hy_oas": ("credit_spreads", "hy_oas_pct"),
    "gz_spread": ("credit_spreads", "gz_spread_pp"),
    "hqm_10y_spread": ("credit_spreads", "hqm_10y_spread_pp"),
    "nfci": ("credit_spreads", "nfci_index"),
    "real_bank_credit": ("reserve_growth", "real_bank_credit_yoy_pct"),
}
# Components with a score on a fixed scale have no rank.
_UNRANKED = ("equity_drawdown", "sahm_gap", "claims_change", "core_pce_inflation")


def monthly_table(catalog: Catalog) -> Table:
    """Shape and wording of the view, from those of the columns it shows."""
    update = {
        "name": MONTHLY,
        "layer": "publish",
        "group": "start",
        "title": "Labels, scores, ranks and the main raw figures of every month-end in one table, every column once.",
        "grain": "One row per month-end from 1985-01-31, without the row of a run date inside a month",
        "columns": tuple(column for _, column in monthly_columns(catalog)),
    }
    return catalog.tables["regime"].model_copy(update=update)


def monthly_ranks() -> dict[str, str]:
    """Column of the rank, by component."""
    return {
        component: f"{name}_rank" for component, (_, name) in _RANKED.items() if component not in _UNRANKED
    }


def monthly_columns(catalog: Catalog) -> Iterator[tuple[str, Column]]:
    """Every column with the table, or the subquery `ranks`, it is read from."""
    for table, names in _COLUMNS.items():
        for name in names:
            yield table, _copied(catalog.tables[table].column(name), table, name)
    rank = catalog.tables["regime_evidence"].column("rank")
    for component, (table, name) in _RANKED.items():
        yield table, _copied(catalog.tables[table].column(name), table, name)
        if component not in _UNRANKED:
            definition = f"Rank of {name}: {rank.definition} Component {component} of regime_evidence."
            update = {"name": f"{name}_rank", "definition": definition}
            yield "ranks", _copied(rank, table, name).model_copy(update=update)


def _copied(column: Column, table: str, name: str) -> Column:
    """A column of another table, without what belongs to it there."""
    update = {"derived_from": (f"{table}.{name}",), "formula": None, "needs": (), "added_in": None}
    return column.model_copy(update={**update, "renamed_from": None, "renamed_in": None})
