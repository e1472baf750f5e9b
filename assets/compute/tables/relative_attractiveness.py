"""`relative_attractiveness`: what each asset yields, what its price must do to keep up, what inflation leaves of it.

Total return is yield plus price change; gold yields nothing. The rest is arithmetic in percentage points, without
compounding: 4 % at 5 % inflation is -1 %. No forecast: every price change here is what would be needed, none is
expected.
"""

import numpy as np
import pandas as pd

from assets.compute.lookup import View
from assets.compute.reading import Bases, Floats, Reading, Texts, combine, select, texts
from assets.compute.tables import equity_price, equity_risk_premium
from assets.compute.tables.assemble import rows_of, stacked
from assets.compute.tables.real_yields import nominal_10y, tips_10y

NOMINAL = ("treasury_10y", "cash")  # a fixed number of dollars: inflation takes from it
REAL = ("tips_10y",)  # indexed: inflation takes nothing
_NOT_COMPARABLE = "nipa"  # profits of all corporations over the value of some: only its rank is used


def build(view: View) -> pd.DataFrame:
    """One row per as-of date and asset; yields and returns in percent a year."""
    nominal = nominal_10y(view)
    earnings = equity_risk_premium.earnings_yields(view, equity_price.prices(view))
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
