"""Rules of `equity_risk_premium`: premia are differences, one earnings basis serves every row.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import Tables, beside, distance, flag, truth
from checks.suites.rules import Rule, identity, never, within

TABLE = "equity_risk_premium"
EXACT = 1e-9  # percentage points: the same subtraction, done again
_BOTH = "The two tables come from different runs, or the formula changed: materialise both again."
_BASIS = "A profile has one basis for every row (METHODOLOGY section 1): look at which series it has."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Premia, the basis of earnings and price, the drawdown and what is called a high."""
    at_high = catalog.method.equity.at_high_drawdown_pct
    return (
        _premium("erp_vs_nominal_10y_pp", "real_yields.nominal_10y_pct", "nominal"),
        _premium("erp_vs_real_10y_pp", "real_yields.real_10y_pct", "real"),
        within(
            "earnings_yield_pct__as_its_basis_says",
            (
                "earnings_yield_pct",
                "earnings_yield_basis",
                "earnings_yield_ttm_pct",
                "earnings_yield_nipa_pct",
            ),
            _from_basis,
            maximum=EXACT,
            statement="the earnings yield is the one its basis names",
            what_to_do=_BASIS,
        ),
        _one_basis("earnings_yield_basis", "earnings yield"),
        _one_basis("equity_price_basis", "equity price"),
        within(
            "equity_drawdown_pct__never_above_the_high",
            ("equity_drawdown_pct",),
            maximum=0,
            statement="the price is not above its own highest",
            what_to_do="The highest price must include the newest: look at equity_price around these dates.",
        ),
        never(
            "is_equity_at_high__as_drawdown_says",
            ("is_equity_at_high", "equity_drawdown_pct"),
            lambda f, _: flag(
                truth(f["is_equity_at_high"]) != (f["equity_drawdown_pct"] > at_high),
                judged=f["is_equity_at_high"].notna() | f["equity_drawdown_pct"].notna(),
            ),
            statement=f"a high is a drawdown above {at_high:g} percent",
            what_to_do="Materialise derived/equity_risk_premium again.",
        ),
    )


def _premium(column: str, of_yield: str, kind: str) -> Rule:
    return identity(
        f"{column}__yield_less_{kind}_10y",
        ("as_of_date", column, "earnings_yield_pct", of_yield),
        lambda f, t: (f[column], f["earnings_yield_pct"] - beside(f, t, of_yield)),
        tolerance=EXACT,
        statement=f"the premium is the earnings yield less the {kind} 10-year yield of the same date",
        what_to_do=_BOTH,
    )


def _from_basis(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    basis = frame["earnings_yield_basis"]
    nipa = frame["earnings_yield_nipa_pct"].where(truth(basis == "nipa"))
    return distance(
        frame["earnings_yield_pct"], frame["earnings_yield_ttm_pct"].where(truth(basis == "ttm"), nipa)
    )


def _one_basis(column: str, what: str) -> Rule:
    def another(frame: pd.DataFrame, tables: Tables) -> pd.Series:
        known = frame[column].dropna()
        return flag(frame[column] != (known.iloc[0] if len(known) else None), judged=frame[column].notna())

    return never(
        f"{column}__one_for_all_rows",
        (column,),
        another,
        statement=f"every row has the same basis for the {what}",
        what_to_do=_BASIS,
    )
