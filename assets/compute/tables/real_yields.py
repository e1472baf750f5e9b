"""`real_yields`: nominal and real 10-year yields, breakeven and expected inflation, short and policy rates."""

import numpy as np

from assets.compute.calendar import stamp_before
from assets.compute.lookup import View, months
from assets.compute.reading import Floats, Reading, combine, select, splice, texts
from assets.compute.stance import policy_rate, policy_rate_change
from assets.compute.tables.assemble import Columns

_PAYMENTS_A_YEAR = 2  # coupons


def nominal_10y(view: View) -> Reading:
    """10-year Treasury yield, percent: last daily quote (DGS10), the month's average (GS10) where there is none."""
    return splice(view.latest("DGS10"), view.latest("GS10"))


def tips_10y(view: View) -> Reading:
    """10-year TIPS yield, percent: DFII10, FII10 where there is none."""
    return splice(view.latest("DFII10"), view.latest("FII10"))


def real_10y(view: View) -> Reading:
    """Real 10-year yield, percent: TIPS from their first month-end on, before that nominal less EXPINF10YR."""
    before_tips = combine(np.subtract, nominal_10y(view), view.latest("EXPINF10YR"))
    return splice(tips_10y(view), before_tips, from_start=True)


def cpi_yoy(view: View) -> Reading:
    """CPI-U (CPIAUCSL), percent change on the same month a year earlier."""
    return view.change_pct("CPIAUCSL", months(12))


def nominal_change(view: View, n: int) -> Reading:
    """Change of the nominal 10-year yield over `n` months, percentage points."""
    return _change(view, "DGS10", "GS10", n)


def real_change(view: View, n: int) -> Reading:
    """Change of the real 10-year yield over `n` months, percentage points: TIPS once both ends exist.

    Before that nominal less expected inflation at both ends: never one end on each basis.
    """
    before_tips = combine(np.subtract, nominal_change(view, n), view.difference("EXPINF10YR", months(n)))
    return splice(_change(view, "DFII10", "FII10", n), before_tips, from_start=True)


def _change(view: View, daily: str, monthly: str, n: int) -> Reading:
    """Last quote less the last quote up to the calendar date before; a month's average where no quote is that old."""
    newest = view.latest(daily)
    month = newest.observation_date.astype("datetime64[M]").astype("datetime64[D]")
    earlier = splice(view.quote_before(daily, newest, n), view.at(monthly, stamp_before(month, n)))
    return select(newest.present, combine(np.subtract, newest, earlier), view.difference(monthly, months(n)))


def par_bond_price_change(yield_before_pct: Floats, yield_now_pct: Floats, years: int) -> Floats:
    """Price change, percent, of a bond bought at par when its yield goes from one to the other; coupons left out.

    Semiannual payments, maturity held at `years`: the clean price of a new bond of the old coupon.
    """
    coupon = yield_before_pct / 100.0 / _PAYMENTS_A_YEAR
    rate = yield_now_pct / 100.0 / _PAYMENTS_A_YEAR
    discount = (1.0 + rate) ** -(years * _PAYMENTS_A_YEAR)
    with np.errstate(divide="ignore", invalid="ignore"):
        annuity = np.where(rate == 0.0, years * _PAYMENTS_A_YEAR, (1.0 - discount) / rate)
    price: Floats = 100.0 * (coupon * annuity + discount)
    return price - 100.0


def build(view: View) -> Columns:
    """One row per as-of date; yields in percent, the breakeven in percentage points."""
    nominal, tips, short = nominal_10y(view), tips_10y(view), view.latest("TB3MS")
    real, cpi = real_10y(view), cpi_yoy(view)
    has_tips = np.maximum.accumulate(tips.present)
    return {
        "nominal_10y_pct": nominal,
        "tips_10y_pct": tips,
        "breakeven_10y_pp": combine(np.subtract, nominal, tips),
        "expected_inflation_10y_pct": view.latest("EXPINF10YR"),
        "real_10y_pct": real,
        "real_10y_basis": texts(real.present, texts(has_tips, "tips", "nominal_less_expected_inflation")),
        "short_rate_pct": short,
        "cpi_yoy_pct": cpi,
        "real_short_rate_pct": combine(np.subtract, short, cpi),
        "policy_rate_pct": policy_rate(view),
        "policy_rate_change_6m_pp": policy_rate_change(view),
    }
