"""`equity_risk_premium`: earnings yield, premia over nominal and real Treasuries, equity value, price and its past.

Sources: BEA (CP or NFCPATAX, GDP), Z.1 (NCBEILQ027S, or its published ratio to GDP), Shiller's `ie_data`, S&P (SP500).
One earnings basis per profile for every row: four-quarter reported earnings where the profile has Shiller's sheet,
national-accounts profits over the market value of equities where it has not.
"""

from __future__ import annotations

import numpy as np

from assets.compute.calendar import stamp_before
from assets.compute.lookup import View
from assets.compute.reading import Reading, absent, combine, texts
from assets.compute.tables import equity_price, shiller
from assets.compute.tables.assemble import Columns
from assets.compute.tables.real_yields import nominal_10y, real_10y

RATIO, VALUE = "NCBEILQ027S_GDP_PCT", "NCBEILQ027S"
_YEAR = 12  # months


def equity_value_gdp(view: View) -> Reading:
    """Market value of nonfinancial corporate equities over nominal GDP of the same quarter, percent."""
    if RATIO in view.series:
        return view.latest(RATIO)
    value, gdp = view.same_period([VALUE, "GDP"])
    return combine(lambda millions, bn: millions / 1000.0 / bn * 100.0, value, gdp)


def earnings_yield_nipa(view: View) -> Reading:
    """After-tax corporate profits over the market value of equities, same quarter, percent.

    Domestic profits (NFCPATAX) where the profile has them, else those of all corporations (CP): its rank is used,
    its level is not comparable with an index's earnings yield.
    """
    profits = _profits(view)
    if RATIO in view.series:
        earned, ratio, gdp = view.same_period([profits, RATIO, "GDP"])
        return combine(lambda e, pct, bn: 100.0 * e / (pct / 100.0 * bn), earned, ratio, gdp)
    earned, value = view.same_period([profits, VALUE])
    return combine(lambda e, millions: 100.0 * e / (millions / 1000.0), earned, value)


def multiple_change(view: View, price_change_pct: Reading) -> Reading:
    """Change of price over earnings in a year, percent, on the profile's earnings basis; both ends as known."""
    if shiller.EARNINGS in view.series:
        newest = shiller.earnings(view)
        before = view.at(shiller.EARNINGS, stamp_before(newest.observation_date, _YEAR))
        return combine(
            lambda p, e, e0: 100.0 * ((1.0 + p / 100.0) / (e / e0) - 1.0), price_change_pct, newest, before
        )
    now = earnings_yield_nipa(view)
    then = stamp_before(now.observation_date, _YEAR)
    if RATIO in view.series:
        parts = [view.at(series_id, then) for series_id in (_profits(view), RATIO, "GDP")]
        before = combine(lambda e, pct, bn: 100.0 * e / (pct / 100.0 * bn), *parts)
    else:
        before = combine(
            lambda e, millions: 100.0 * e / (millions / 1000.0),
            view.at(_profits(view), then),
            view.at(VALUE, then),
        )
    return combine(lambda e, e0: 100.0 * (e0 / e - 1.0), now, before)


def _profits(view: View) -> str:
    return "NFCPATAX" if "NFCPATAX" in view.series else "CP"


def build(view: View) -> Columns:
    """One row per as-of date; yields in percent, premia in percentage points, price in the unit of its basis."""
    price = equity_price.prices(view)
    nipa = earnings_yield_nipa(view)
    has_shiller = shiller.EARNINGS in view.series
    ttm = (
        shiller.earnings_yield(view, price.latest)
        if has_shiller
        else absent(len(view), shiller.EARNINGS, "not_in_profile")
    )
    cape = (
        shiller.cape(view, price.latest)
        if has_shiller
        else absent(len(view), shiller.EARNINGS, "not_in_profile")
    )
    earnings_yield = ttm if has_shiller else nipa
    return {
        "earnings_yield_nipa_pct": nipa,
        "earnings_yield_ttm_pct": ttm,
        "earnings_yield_pct": earnings_yield,
        "earnings_yield_basis": texts(earnings_yield.present, "ttm" if has_shiller else "nipa"),
        "erp_vs_nominal_10y_pp": combine(np.subtract, earnings_yield, nominal_10y(view)),
        "erp_vs_real_10y_pp": combine(np.subtract, earnings_yield, real_10y(view)),
        "equity_value_pct_gdp": equity_value_gdp(view),
        "cape": cape,
        "equity_price": price.latest,
        "equity_price_basis": texts(price.latest.present, price.basis),
        "equity_drawdown_pct": price.drawdown_pct,
        "equity_return_12m_pct": price.return_12m_pct,
        "is_equity_at_high": texts(
            price.drawdown_pct.present, price.drawdown_pct.value > view.method.equity.at_high_drawdown_pct
        ),
    }
