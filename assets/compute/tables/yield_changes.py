"""Changes of the 10-year yields over months, and what a change does to the price of a bond.

Sources: H.15 (DGS10, GS10, DFII10, FII10), Cleveland Fed (EXPINF10YR). Belongs here: both ends of a change, each in
what was known on the as-of date. Does not belong here: levels (`real_yields.py`).
"""

from __future__ import annotations

import numpy as np

from assets.compute.calendar import stamp_before
from assets.compute.lookup import View, months
from assets.compute.reading import Floats, Reading, combine, select, splice

_PAYMENTS_A_YEAR = 2


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
