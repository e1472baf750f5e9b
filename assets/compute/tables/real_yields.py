"""`real_yields`: nominal and real 10-year yields, breakeven and expected inflation, short and policy rates.

Sources: H.15 (DGS10, GS10, DFII10, FII10, TB3MS, FEDFUNDS), FOMC (DFEDTARU, DFEDTAR), Cleveland Fed (EXPINF10YR),
BLS (CPIAUCSL).
"""

from __future__ import annotations

import numpy as np

from assets.compute.lookup import View, months
from assets.compute.reading import Reading, combine, splice, texts
from assets.compute.stance import policy_rate, policy_rate_change
from assets.compute.tables.assemble import Columns


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
