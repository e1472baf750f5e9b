"""Rules of `fiscal_and_debt`: shares of one GDP, the public's debt within the total.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

from assets.catalog.models import Catalog
from checks.suites.measures import beside, differs
from checks.suites.rules import Rule, identity, never, within

TABLE = "fiscal_and_debt"
EXACT = 1e-9
GDP = "reserve_growth.nominal_gdp_usd_bn"
SHARES = {
    "deficit_12m_pct_gdp": "deficit_12m_usd_bn",
    "debt_held_by_public_pct_gdp": "debt_held_by_public_usd_bn",
    "total_debt_pct_gdp": "total_debt_usd_bn",
}


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Shares of the GDP `reserve_growth` has for the date, and the parts of the debt."""
    shortening = catalog.method.maturity.shortening_from_pp
    return (
        *(_share(column, level) for column, level in SHARES.items()),
        within(
            "total_debt_usd_bn__not_below_the_publics",
            ("total_debt_usd_bn", "debt_held_by_public_usd_bn"),
            lambda f, _: f["total_debt_usd_bn"] - f["debt_held_by_public_usd_bn"],
            minimum=0,
            statement="total debt includes what the public holds",
            what_to_do="Compare GFDEBTN and FYGFDPUN with the Treasury: one of them may be in another unit.",
        ),
        never(
            "is_maturity_shortening__of_the_bill_share",
            ("is_maturity_shortening", "bill_share_change_12m_pp"),
            lambda f, _: differs(
                f["is_maturity_shortening"],
                (f["bill_share_change_12m_pp"] >= shortening)
                .astype("boolean")
                .mask(f["bill_share_change_12m_pp"].isna()),
            ),
            statement=f"maturities shorten when the bill share is up by {shortening:g} percentage points",
            what_to_do="Materialise derived/fiscal_and_debt again; if it stays, method.toml has changed.",
        ),
    )


def _share(column: str, level: str) -> Rule:
    return identity(
        f"{column}__level_over_gdp",
        ("as_of_date", column, level, GDP),
        lambda f, t: (f[column], 100.0 * f[level] / beside(f, t, GDP)),
        tolerance=EXACT,
        statement=f"the share is {level} over the nominal GDP of the same date",
        what_to_do="The two tables come from different runs: materialise both again.",
    )
