"""Rules of `equity_risk_premium`: premia are differences, every row is what the basis it names says.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog
from assets.compute.bases import EARNINGS
from assets.compute.tables.equity_price import BASES
from checks.suites.measures import Tables, beside, differs, distance, flag, only_where, truth
from checks.suites.rules import Rule, identity, never, within

TABLE = "equity_risk_premium"
EXACT = 1e-9  # percentage points: the same subtraction, done again
_BOTH = "The two tables come from different runs, or the formula changed: materialise both again."
_BASIS = "Each row takes the basis it names (docs/methodology.md): materialise the table again."
_EARNINGS = {basis: basis for basis in EARNINGS}
_LABELS = {basis.label: basis.name for basis in BASES}


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
        never(
            "earnings_yield_basis__reported_where_known",
            ("earnings_yield_basis", "earnings_yield_ttm_pct", "earnings_yield_nipa_pct"),
            lambda f, _: differs(f["earnings_yield_basis"], _best_earnings(f)),
            statement="reported earnings are used wherever they are known, the national accounts elsewhere",
            what_to_do=_BASIS,
        ),
        never(
            "equity_price_basis__named_with_price",
            ("equity_price_basis", "equity_price"),
            lambda f, _: only_where(f["equity_price_basis"], f["equity_price"].notna()),
            statement="the basis is named exactly where there is a price",
            what_to_do=_BASIS,
        ),
        _inside_basis("erp_vs_nominal_10y_pp", "erp_vs_nominal_10y_{}_pp", "earnings_yield_basis", _EARNINGS),
        _inside_basis("erp_vs_real_10y_pp", "erp_vs_real_10y_{}_pp", "earnings_yield_basis", _EARNINGS),
        _inside_basis("equity_return_12m_pct", "equity_return_12m_{}_pct", "equity_price_basis", _LABELS),
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


def _best_earnings(frame: pd.DataFrame) -> pd.Series:
    named = pd.Series(None, frame.index, dtype=object)
    named[frame["earnings_yield_nipa_pct"].notna()] = "nipa"
    named[frame["earnings_yield_ttm_pct"].notna()] = "ttm"
    return named


def _inside_basis(column: str, of_basis: str, basis: str, names: Mapping[str, str]) -> Rule:
    columns = {label: of_basis.format(name) for label, name in names.items()}

    def expected(frame: pd.DataFrame) -> pd.Series:
        figure = pd.Series(np.nan, frame.index)
        for label, of_this in columns.items():
            figure = figure.where(~truth(frame[basis] == label), frame[of_this])
        return figure

    return within(
        f"{column}__of_its_basis",
        (column, basis, *columns.values()),
        lambda f, _: distance(f[column], expected(f)).where(f[basis].notna()),
        maximum=EXACT,
        statement="the figure is the one on the basis the row names",
        what_to_do=_BASIS,
    )
