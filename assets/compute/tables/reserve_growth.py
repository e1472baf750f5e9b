"""`reserve_growth`: the Fed's balance sheet against banks and the economy. Millions become billions here, once."""

import numpy as np

from assets.compute.lookup import Lag, View, months, weeks
from assets.compute.reading import Reading, billions, combine, percent, splice, texts
from assets.compute.tables.assemble import Columns
from assets.compute.tables.yields import cpi_yoy

_HALF_YEARS = 2.0  # a 26-week or six-month change, twice, is a yearly rate
_HALF, _YEAR = weeks(26), weeks(52)


def _annualised(view: View, series_id: str, lag: Lag) -> Reading:
    return view.over(series_id, lambda v: 100.0 * ((v[:, 0] / v[:, 1]) ** _HALF_YEARS - 1.0), [lag])


def fed_assets_growth_26w(view: View) -> Reading:
    """Growth of the balance sheet, percent a year: WALCL over 26 weeks, BOGMBASE over six months before it exists."""
    return splice(
        _annualised(view, "WALCL", _HALF), _annualised(view, "BOGMBASE", months(6)), from_start=True
    )


def impulse(view: View) -> Reading:
    """Half-year change of the balance sheet at a yearly rate, percent of nominal GDP."""
    change = splice(
        view.difference("WALCL", _HALF).map(billions), view.difference("BOGMBASE", months(6)), from_start=True
    )
    return combine(lambda bn, gdp: _HALF_YEARS * bn / gdp * 100.0, change, view.latest("GDP"))


def excess_growth(growth: Reading, bank_credit: Reading, gdp: Reading) -> Reading:
    """Growth beyond what banks or the economy need (Powell's sentence), percentage points."""
    return combine(lambda g, credit, nominal: g - np.maximum(credit, nominal), growth, bank_credit, gdp)


def build(view: View) -> Columns:
    """One row per as-of date; levels in billions of dollars, growth in percent a year, shares in percent."""
    gdp, bank_credit_bn = view.latest("GDP"), view.latest("TOTBKCR")
    assets, reserves = view.latest("WALCL").map(billions), view.latest("WRESBAL").map(billions)
    growth, reserves_growth = fed_assets_growth_26w(view), _annualised(view, "WRESBAL", _HALF)
    bank_credit, nominal = view.change_pct("TOTBKCR", _YEAR), view.change_pct("GDP", months(12))
    treasury_account = splice(view.latest("WDTGAL"), view.latest("WTREGEN"))
    net = combine(lambda a, t, r: a - t / 1000.0 - r, assets, treasury_account, view.latest("RRPONTSYD"))
    return {
        "fed_assets_usd_bn": assets,
        "treasuries_held_usd_bn": view.latest("TREAST").map(billions),
        "mbs_held_usd_bn": view.latest("WSHOMCB").map(billions),
        "reserve_balances_usd_bn": reserves,
        "monetary_base_usd_bn": view.latest("BOGMBASE"),
        "balance_sheet_basis": texts(growth.present, growth.series_ids),
        "fed_assets_growth_26w_pct": growth,
        "fed_assets_growth_52w_pct": splice(
            view.change_pct("WALCL", _YEAR), view.change_pct("BOGMBASE", months(12)), from_start=True
        ),
        "fed_assets_pct_gdp": combine(percent, assets, gdp),
        "fed_assets_pct_bank_credit": combine(percent, assets, bank_credit_bn),
        "reserve_balances_growth_26w_pct": reserves_growth,
        "reserve_balances_growth_52w_pct": view.change_pct("WRESBAL", _YEAR),
        "reserve_balances_pct_gdp": combine(percent, reserves, gdp),
        "reserve_balances_pct_bank_credit": combine(percent, reserves, bank_credit_bn),
        "bank_credit_yoy_pct": bank_credit,
        "real_bank_credit_yoy_pct": combine(np.subtract, bank_credit, cpi_yoy(view)),
        "nominal_gdp_usd_bn": gdp,
        "nominal_gdp_yoy_pct": nominal,
        "excess_growth_pp": excess_growth(growth, bank_credit, nominal),
        "reserve_excess_growth_pp": excess_growth(reserves_growth, bank_credit, nominal),
        "balance_sheet_impulse_pct_gdp": impulse(view),
        "net_liquidity_usd_bn": net,
        "net_liquidity_basis": texts(net.present, treasury_account.series_ids),
    }
