"""`equity_risk_premium`: earnings yield, premia over nominal and real Treasuries, equity value, price and its past.

Earnings by what is held, date by date: four-quarter reported earnings (Shiller) where they are known and not stale,
else national-accounts profits over the market value of equities. Every basis keeps its own column on all dates, since
a rank is taken inside one.
"""

from collections.abc import Callable

import numpy as np

from assets.compute.archive import ABSENT, Rows
from assets.compute.calendar import Days, stamp_before
from assets.compute.lookup import View
from assets.compute.reading import EARNINGS, Bases, Floats, Reading, absent, billions, combine, percent
from assets.compute.tables import equity_price
from assets.compute.tables.assemble import Columns
from assets.compute.tables.equity_price import RATIO, VALUE
from assets.compute.tables.real_yields import nominal_10y, real_10y

REPORTED = "SHILLER_EARNINGS"  # quarter-end months only: the sheet interpolates the others
_YEAR = 12  # months
_TTM, _NIPA = EARNINGS


def _yield_of_ratio(earned: Floats, ratio_pct: Floats, gdp_bn: Floats) -> Floats:
    return 100.0 * earned / (ratio_pct / 100.0 * gdp_bn)


def _yield_of_value(earned: Floats, value_mn: Floats) -> Floats:
    return 100.0 * earned / billions(value_mn)


def reported_earnings(view: View) -> Reading:
    """Four-quarter reported earnings of the newest quarter-end month known, index points."""

    def only_quarter_ends(rows: Rows, observation: Days) -> Rows:
        return np.where((observation.astype("datetime64[M]").astype("int64") % 3) == 2, rows, ABSENT)

    return view.latest(REPORTED, accept=only_quarter_ends)


def earnings(view: View) -> Reading:
    """Reported earnings where the profile has them, else profits of the national accounts: only changes compare."""
    return reported_earnings(view) if REPORTED in view.series else view.latest(_profits(view))


def cape(view: View, price: Reading) -> Reading:
    """Price over ten years of quarter-end earnings in CPI of the newest known month (Campbell, Shiller 1988)."""
    if REPORTED not in view.series:
        return absent(len(view), REPORTED, "not_in_profile")
    newest, cpi = reported_earnings(view), view.latest("CPIAUCSL")
    quarters = np.stack(
        [stamp_before(newest.observation_date, 3 * n) for n in range(view.method.equity.cape_quarters)],
        axis=1,
    )
    nominal = view.values_at(REPORTED, quarters)
    deflator = view.values_at("CPIAUCSL", quarters)
    real: Floats = nominal * cpi.value[:, None] / deflator
    mean = real.mean(axis=1)  # NaN as soon as one quarter is missing: no shorter average in its place
    return combine(lambda p, _e, _c: p / mean, price, newest, cpi)


def _yield_nipa(view: View) -> tuple[tuple[str, ...], Callable[..., Floats]]:
    """Series of profits and of the market value of equities, and the earnings yield of their values."""
    profits = _profits(view)
    return (
        ((profits, RATIO, "GDP"), _yield_of_ratio)
        if RATIO in view.series
        else ((profits, VALUE), _yield_of_value)
    )


def equity_value_gdp(view: View) -> Reading:
    """Market value of nonfinancial corporate equities over nominal GDP of the same quarter, percent."""
    if RATIO in view.series:
        return view.latest(RATIO)
    return combine(lambda mn, bn: billions(mn) / bn * 100.0, *view.same_period([VALUE, "GDP"]))


def earnings_yield_nipa(view: View) -> Reading:
    """After-tax corporate profits over the market value of equities, same quarter, percent.

    Domestic profits (NFCPATAX) where they are held, else those of all corporations (CP), one of them on every date: its
    rank is used, its level is not comparable with an index's earnings yield.
    """
    names, formula = _yield_nipa(view)
    return combine(formula, *view.same_period(names))


def earnings_yields(view: View, prices: equity_price.Prices) -> Bases:
    """Earnings yield of every basis, percent, and the one each date uses. Reported earnings are over the index."""
    reported = absent(len(view), REPORTED, "not_in_profile")
    if REPORTED in view.series:
        reported = combine(percent, reported_earnings(view), prices.latest.readings[equity_price.INDEX])
    return Bases.first_present({_TTM: reported, _NIPA: earnings_yield_nipa(view)})


def multiple_change(view: View, prices: equity_price.Prices) -> Reading:
    """Change of price over earnings in a year, percent, on the earnings basis of each date; both ends as known."""
    changes = {
        _TTM: _reported_multiple_change(view, prices.return_12m_pct.readings[equity_price.INDEX]),
        _NIPA: _nipa_multiple_change(view),
    }
    return Bases(changes, earnings_yields(view, prices).used).selected


def _reported_multiple_change(view: View, price_change_pct: Reading) -> Reading:
    newest = reported_earnings(view)
    before = view.at(REPORTED, stamp_before(newest.observation_date, _YEAR))
    return combine(
        lambda p, e, e0: 100.0 * ((1.0 + p / 100.0) / (e / e0) - 1.0), price_change_pct, newest, before
    )


def _nipa_multiple_change(view: View) -> Reading:
    now = earnings_yield_nipa(view)
    then = stamp_before(now.observation_date, _YEAR)
    names, formula = _yield_nipa(view)
    before = combine(formula, *(view.at(series_id, then) for series_id in names))
    return combine(lambda e, e0: 100.0 * (e0 / e - 1.0), now, before)


def _profits(view: View) -> str:
    return "NFCPATAX" if view.has("NFCPATAX") else "CP"


def _on_bases(name: str, unit: str, bases: Bases) -> Columns:
    """A column for every basis, and the one of the basis each date uses."""
    each: Columns = {f"{name}_{basis}_{unit}": reading for basis, reading in bases.readings.items()}
    return each | {f"{name}_{unit}": bases.selected}


def build(view: View) -> Columns:
    """One row per as-of date; yields in percent, premia in percentage points, price in the unit of its basis."""
    price, nominal, real = equity_price.prices(view), nominal_10y(view), real_10y(view)
    earnings = earnings_yields(view, price)
    over_nominal = earnings.map(lambda yield_: combine(np.subtract, yield_, nominal))
    over_real = earnings.map(lambda yield_: combine(np.subtract, yield_, real))
    return {
        **_on_bases("earnings_yield", "pct", earnings),
        "earnings_yield_basis": earnings.names,
        **_on_bases("erp_vs_nominal_10y", "pp", over_nominal),
        **_on_bases("erp_vs_real_10y", "pp", over_real),
        "equity_value_pct_gdp": equity_value_gdp(view),
        "cape": cape(view, price.latest.readings[equity_price.INDEX]),
        "equity_price": price.latest.selected,
        "equity_price_basis": price.basis,
        "equity_price_date": price.period_end.astype("datetime64[s]"),
        "equity_drawdown_pct": price.drawdown_pct.selected,
        **_on_bases("equity_return_12m", "pct", price.return_12m_pct),
        "is_equity_at_high": equity_price.is_at_high(view, price),
    }
