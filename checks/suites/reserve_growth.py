"""Rules of `reserve_growth`: shares follow from levels, the whole is not smaller than its parts.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import beside, only_where, row_before
from checks.suites.rules import Rule, identity, never, within

TABLE = "reserve_growth"
EXACT = 1e-9
LARGEST_STEP = 0.75  # share of the level: in October 2008 assets rose by 62 percent
_AGAIN = "Materialise derived/reserve_growth again; if it stays, a formula in assets/compute has changed."
_LEVELS = "Compare WALCL, TREAST and WSHOMCB with the Board's H.4.1: one of them may be in another unit."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Shares, parts and whole, growth in excess of need, and what the bases say."""
    return (
        _share("fed_assets_pct_gdp", "fed_assets_usd_bn"),
        _share("reserve_balances_pct_gdp", "reserve_balances_usd_bn"),
        within(
            "fed_assets_usd_bn__not_below_its_parts",
            ("fed_assets_usd_bn", "treasuries_held_usd_bn", "mbs_held_usd_bn"),
            lambda f, _: f["fed_assets_usd_bn"] - f["treasuries_held_usd_bn"] - f["mbs_held_usd_bn"],
            minimum=0,
            statement="total assets cover the Treasuries and mortgage bonds held",
            what_to_do=_LEVELS,
        ),
        within(
            "fed_assets_usd_bn__not_below_treasuries",
            ("fed_assets_usd_bn", "treasuries_held_usd_bn"),
            lambda f, _: f["fed_assets_usd_bn"] - f["treasuries_held_usd_bn"],
            minimum=0,
            statement="total assets cover the Treasuries held",
            what_to_do=_LEVELS,
        ),
        within(
            "reserve_balances_usd_bn__not_above_assets",
            ("reserve_balances_usd_bn", "fed_assets_usd_bn"),
            lambda f, _: f["fed_assets_usd_bn"] - f["reserve_balances_usd_bn"],
            minimum=0,
            statement="reserves are a liability, no larger than total assets",
            what_to_do="WRESBAL changed from billions to millions in 2025-26: compare its unit with H.4.1.",
        ),
        _excess("excess_growth_pp", "fed_assets_growth_26w_pct"),
        _excess("reserve_excess_growth_pp", "reserve_balances_growth_26w_pct"),
        identity(
            "real_bank_credit_yoy_pct__less_cpi",
            ("as_of_date", "real_bank_credit_yoy_pct", "bank_credit_yoy_pct", "real_yields.cpi_yoy_pct"),
            lambda f, t: (
                f["real_bank_credit_yoy_pct"],
                f["bank_credit_yoy_pct"] - beside(f, t, "real_yields.cpi_yoy_pct"),
            ),
            tolerance=EXACT,
            statement="real bank credit growth is the nominal one less CPI inflation of the same date",
            what_to_do="The two tables come from different runs: materialise both again.",
        ),
        never(
            "balance_sheet_basis__named_with_growth",
            ("balance_sheet_basis", "fed_assets_growth_26w_pct"),
            lambda f, _: only_where(f["balance_sheet_basis"], f["fed_assets_growth_26w_pct"].notna()),
            statement="the basis is named exactly where there is a growth rate",
            what_to_do=_AGAIN,
        ),
        never(
            "balance_sheet_basis__not_before_walcl",
            ("as_of_date", "balance_sheet_basis"),
            lambda f, _: _walcl_too_early(f, pd.Timestamp(catalog.method.balance_sheet.first_change_date)),
            statement="growth rests on WALCL only from its first 26-week change on",
            what_to_do="The archive holds WALCL before it existed: look at its first rows.",
        ),
        never(
            "net_liquidity_basis__named_with_value",
            ("net_liquidity_basis", "net_liquidity_usd_bn"),
            lambda f, _: only_where(f["net_liquidity_basis"], f["net_liquidity_usd_bn"].notna()),
            statement="the Treasury account used is named exactly where there is a value",
            what_to_do=_AGAIN,
        ),
        within(
            "fed_assets_usd_bn__step",
            ("as_of_date", "fed_assets_usd_bn"),
            lambda f, _: (f["fed_assets_usd_bn"] / row_before(f, "fed_assets_usd_bn") - 1.0).abs(),
            maximum=LARGEST_STEP,
            severity="warning",
            statement="total assets change by no more than 75 percent between two rows",
            what_to_do=_LEVELS,
        ),
    )


def _share(column: str, level: str) -> Rule:
    return identity(
        f"{column}__level_over_gdp",
        (column, level, "nominal_gdp_usd_bn"),
        lambda f, _: (f[column], 100.0 * f[level] / f["nominal_gdp_usd_bn"]),
        tolerance=EXACT,
        statement=f"the share is {level} over nominal GDP",
        what_to_do=_AGAIN,
    )


def _excess(column: str, growth: str) -> Rule:
    needs = ["bank_credit_yoy_pct", "nominal_gdp_yoy_pct"]
    return identity(
        f"{column}__growth_beyond_need",
        (column, growth, *needs),
        lambda f, _: (f[column], f[growth] - f[needs].max(axis=1, skipna=False)),
        tolerance=EXACT,
        statement="excess growth is growth less the larger of bank credit and nominal GDP growth",
        what_to_do=_AGAIN,
    )


def _walcl_too_early(frame: pd.DataFrame, first_change: pd.Timestamp) -> pd.Series:
    early = frame["as_of_date"] < first_change
    return (early & (frame["balance_sheet_basis"] == "WALCL").fillna(False)).astype("float64")
