"""Tables with a row per date and measure: Dalio's six criteria for a bubble, and what each asset yields.

`bubble_gauge` (his criteria of 22 February 2021): a criterion without a measure is a row that says why; it is never
neutral, and no mean is taken over the rest: that would not be his gauge. `relative_attractiveness`: total return is
yield plus price change; gold yields nothing. The rest is arithmetic in percentage points, without compounding: 4 % at
5 % inflation is -1 %. No forecast: every price change here is what would be needed, none is expected.
"""

from collections.abc import Iterator
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from assets.compute.lookup import View
from assets.compute.reading import Bases, Floats, Reading, Texts, absent, combine, select, texts
from assets.compute.tables import equity
from assets.compute.tables.assemble import rows_of, stacked
from assets.compute.tables.yields import nominal_10y, real_10y, tips_10y

CRITERIA = {
    1: "How high are prices relative to traditional measures?",
    2: "Are prices discounting unsustainable conditions?",
    3: "How many new buyers have entered the market?",
    4: "How broadly bullish is sentiment?",
    5: "Are purchases being financed by high leverage?",
    6: "Have buyers made exceptionally extended forward purchases?",
}
NOT_FREE = "no_free_data"


def bubble_gauge(view: View) -> pd.DataFrame:
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
    prices = equity.prices(view)
    earnings = equity.earnings_yields(view, prices)
    cape = equity.cape(view, prices.latest.readings[equity.INDEX])
    minimum, is_month_end = view.method.percentile.minimum_history, view.grid.is_month_end

    def needed_on(shares: Reading) -> Reading:
        growth = combine(partial(growth_needed, is_month_end=is_month_end), nominal_10y(view), shares)
        enough = np.cumsum(is_month_end & growth.present) >= minimum
        return growth.where(enough, "history_too_short")

    needed, none, rows = earnings.map(needed_on), absent(len(view), "", NOT_FREE), partial(_rows, view)
    ecy = combine(lambda ratio, real: 100.0 / ratio - real, cape, real_10y(view))
    yield rows(1, "earnings_yield", "percent", "low", earnings.selected,
        "Profits over price, on the basis the row's series name.", earnings.past)  # fmt: skip
    yield rows(1, "equity_value_to_gdp", "percent of GDP", "high", equity.equity_value_gdp(view),
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


NOMINAL = ("treasury_10y", "cash")  # a fixed number of dollars: inflation takes from it
REAL = ("tips_10y",)  # indexed: inflation takes nothing
_NOT_COMPARABLE = "nipa"  # profits of all corporations over the value of some: only its rank is used


def relative_attractiveness(view: View) -> pd.DataFrame:
    """One row per as-of date and asset; yields and returns in percent a year."""
    nominal = nominal_10y(view)
    earnings = equity.earnings_yields(view, equity.prices(view))
    parts = [
        _asset(view, nominal, name, *held, earnings.past if name == "equities" else None)
        for name, held in _assets(view, nominal, earnings).items()
    ]
    return stacked(parts)


def _assets(view: View, nominal: Reading, earnings: Bases) -> dict[str, tuple[Reading, Texts]]:
    """Yield of each asset and what it is taken from."""
    tips, cash = tips_10y(view), view.latest("TB3MS")
    return {
        "gold": (nominal.map(np.zeros_like), texts(nominal.present, "pays nothing")),
        "treasury_10y": (nominal, _series(nominal)),
        "tips_10y": (tips, _series(tips)),
        "equities": (earnings.selected, earnings.names),
        "cash": (cash, _series(cash)),
    }


def _series(reading: Reading) -> Texts:
    return texts(reading.present, reading.series_ids)


def _asset(
    view: View, nominal: Reading, name: str, yield_: Reading, basis: Texts, past: Floats | None
) -> pd.DataFrame:
    """Rows of one asset; a level that is not comparable is only ranked. `past`: what it ranks among."""
    value, yield_ = yield_.value, yield_.where(basis != _NOT_COMPARABLE, "level_not_comparable")
    hurdle = combine(np.subtract, nominal, yield_)
    scenarios: dict[str, Floats] = {}
    for inflation in view.method.attractiveness.inflation_scenarios_pct:
        left, needed = after_inflation(name, yield_.value, inflation)
        scenarios[f"real_return_at_{inflation:g}pct_inflation_pct"] = left
        scenarios[f"price_rise_needed_at_{inflation:g}pct_inflation_pct"] = needed
    columns = {
        "asset": name,
        "yield_pct": yield_.value,
        "yield_basis": basis,
        "is_real_yield": name in REAL,
        "yield_pct_rank": view.rank(value, past) if name != "gold" else np.full(len(view), np.nan),
        "price_change_to_match_10y_pp": hurdle.value,
        **scenarios,
    }
    return rows_of(view.grid, select(hurdle.present, hurdle, yield_), columns)


def after_inflation(asset: str, yield_pct: Floats, inflation_pct: float) -> tuple[Floats, Floats]:
    """Real return at that inflation, and the price rise needed to keep its value; NaN for the one that is not meant.

    Nominal claims: yield - inflation. Indexed: the yield itself. Gold and equities: inflation - yield is what the price
    must rise by; negative is a fall they could bear.
    """
    unmeant = np.full_like(yield_pct, np.nan)
    if asset in NOMINAL:
        return yield_pct - inflation_pct, unmeant
    return (yield_pct, unmeant) if asset in REAL else (unmeant, inflation_pct - yield_pct)
