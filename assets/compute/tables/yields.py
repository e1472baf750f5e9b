"""`real_yields`: 10-year yields, breakeven, short and policy rates. `credit_spreads`: spreads and their ranks."""

import numpy as np
import numpy.typing as npt

from assets.compute.calendar import stamp_before
from assets.compute.conditions import window_start
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


def real_yields(view: View) -> Columns:
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


# the spreads that count in the credit condition, in the order of methodology, "Conditions"
FAMILY = ("ebp_pp", "gz_spread_pp", "baa_10y_pp", "hy_oas_pct", "hqm_10y_spread_pp")


def credit_spreads(view: View) -> Columns:
    """One row per as-of date; spreads in percentage points (OAS in percent), ranks 0 to 1 with 1 the widest."""
    spreads: dict[str, Reading] = {
        "ebp_pp": view.latest("EBP"),
        "gz_spread_pp": view.latest("GZ_SPREAD"),
        "baa_10y_pp": splice(view.latest("BAA10Y"), view.latest("BAA10YM")),
        "hy_oas_pct": _long_enough(view, "BAMLH0A0HYM2"),
        "ig_oas_pct": _long_enough(view, "BAMLC0A0CM"),
        "hqm_10y_spread_pp": combine(np.subtract, *view.same_period(["HQMCB10YR", "GS10"])),
    }
    columns: Columns = dict(spreads)
    for name, reading in spreads.items():
        columns[f"{name}_rank"] = view.rank(reading.value)
        columns[f"{name}_window_start_date"] = window_start(reading.value, view.as_of).astype("datetime64[s]")
    ranks = np.stack([np.asarray(columns[f"{name}_rank"]) for name in FAMILY])
    count = (~np.isnan(ranks)).sum(axis=0)
    with np.errstate(invalid="ignore"):
        columns["spread_family_rank"] = np.where(count > 0, np.nansum(ranks, axis=0) / count, np.nan)
    columns["is_spread_missing"] = count == 0
    columns["nfci_index"] = view.latest("NFCI")
    return columns


def _long_enough(view: View, series_id: str) -> Reading:
    """A truncating provider's series: absent when our own store starts after the history a rank needs."""
    reading = view.latest(series_id)
    if not view.has(series_id) or (required := view.series[series_id].required_start) is None:
        return reading
    dates = view.archive.observations(series_id).dates
    needed = dates[dates <= np.datetime64(required, "D")]
    # asked of what was held when each row was published: an older history loaded later rewrites no past row
    starts_in_time: npt.NDArray[np.bool_] = np.any(~np.isnan(view.panel(series_id, needed)), axis=1)
    return reading.where(starts_in_time, "history_too_short")
