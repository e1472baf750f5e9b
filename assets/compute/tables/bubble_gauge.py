"""`bubble_gauge`: Dalio's six criteria for a bubble (22 February 2021), each with the measures free data have for it.

A criterion without a measure is a row that says why; it is never neutral, and no mean is taken over the rest: that
would not be his gauge.
"""

from collections.abc import Iterator
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from assets.compute.lookup import View
from assets.compute.reading import Floats, Reading, absent, combine, texts
from assets.compute.tables import equity_price, equity_risk_premium
from assets.compute.tables.assemble import rows_of, stacked
from assets.compute.tables.real_yields import nominal_10y, real_10y

CRITERIA = {
    1: "How high are prices relative to traditional measures?",
    2: "Are prices discounting unsustainable conditions?",
    3: "How many new buyers have entered the market?",
    4: "How broadly bullish is sentiment?",
    5: "Are purchases being financed by high leverage?",
    6: "Have buyers made exceptionally extended forward purchases?",
}
NOT_FREE = "no_free_data"


def build(view: View) -> pd.DataFrame:
    """One row per as-of date and measure; `heat_rank` is the rank turned so that 1 is the hottest so far."""
    return stacked(list(_measures(view)))


def growth_needed(nominal_10y_pct: Floats, earnings_yield_pct: Floats, is_month_end: np.ndarray) -> Floats:
    """Yearly earnings growth, percent, with which equities earn their usual premium over the 10-year Treasury.

    nominal 10-year + mean premium of the month-ends up to the date - earnings yield. The mean is over what was known on
    each of those dates; a run date inside a month takes the month-ends before it.
    """
    premium = earnings_yield_pct - nominal_10y_pct
    counted = is_month_end & ~np.isnan(premium)
    count = np.cumsum(counted)
    total = np.cumsum(np.where(counted, premium, 0.0))
    usual = np.divide(total, count, out=np.full(len(premium), np.nan), where=count > 0)
    return nominal_10y_pct + usual - earnings_yield_pct


def _measures(view: View) -> Iterator[pd.DataFrame]:
    prices = equity_price.prices(view)
    earnings = equity_risk_premium.earnings_yields(view, prices)
    cape = equity_risk_premium.cape(view, prices.latest.readings[equity_price.INDEX])
    minimum, is_month_end = view.method.percentile.minimum_history, view.grid.is_month_end

    def needed_on(shares: Reading) -> Reading:
        growth = combine(partial(growth_needed, is_month_end=is_month_end), nominal_10y(view), shares)
        enough = np.cumsum(is_month_end & growth.present) >= minimum
        return growth.where(enough, "history_too_short")

    needed, none, rows = earnings.map(needed_on), absent(len(view), "", NOT_FREE), partial(_rows, view)
    ecy = combine(lambda ratio, real: 100.0 / ratio - real, cape, real_10y(view))
    yield rows(1, "earnings_yield", "percent", "low", earnings.selected,
        "Profits over price, on the basis the row's series name.", earnings.past)  # fmt: skip
    yield rows(1, "equity_value_to_gdp", "percent of GDP", "high", equity_risk_premium.equity_value_gdp(view),
        "Market value of nonfinancial corporate equities.")  # fmt: skip
    yield rows(1, "cape", "ratio", "high", cape,
        "Price over ten years of real earnings; needs Shiller's sheet.")  # fmt: skip
    yield rows(2, "growth_needed", "percent", "high", needed.selected,
        "Earnings growth with which shares earn their usual premium over bonds.", needed.past)  # fmt: skip
    yield rows(2, "excess_cape_yield", "percentage points", "low", ecy,
        "1/CAPE less the real 10-year yield; needs Shiller's sheet.")  # fmt: skip
    yield rows(3, "new_accounts_and_flows", "none", "high", none,
        "New accounts (FINRA) and fund flows (ICI) have no free archive as published then.")  # fmt: skip
    yield rows(4, "implied_volatility", "index", "low", view.latest("VIXCLS"),
        "VIX: calm is the nearest free sign of confidence; surveys of sentiment may not be stored.")  # fmt: skip
    yield rows(5, "nonfinancial_leverage", "index", "high", view.latest("NFCINONFINLEVERAGE"),
        "Debt of households and firms against trend; margin debt (FINRA) has no free archive as published then.",
    )  # fmt: skip
    yield rows(6, "forward_purchases", "none", "high", none,
        "Purchase commitments stand in company filings; no free aggregate exists.")  # fmt: skip


def _rows(
    view: View,
    criterion: int,
    name: str,
    unit: str,
    hot_when: Literal["high", "low"],
    reading: Reading,
    note: str,
    past: Floats | None = None,
) -> pd.DataFrame:
    """Rows of one measure. `hot_when`: which side of its own history is a bubble's; `past`: as in `percentile`."""
    rank = view.rank(reading.value, past)
    columns = {
        "criterion": criterion,
        "question": CRITERIA[criterion],
        "measure": name,
        "value": reading.value,
        "unit": unit,
        "hot_when": hot_when,
        "rank": rank,
        "heat_rank": rank if hot_when == "high" else 1.0 - rank,
        "note": note,
    }
    ids = reading.series_ids
    return rows_of(view.grid, reading, columns).assign(series_ids=texts(ids != "", ids))
