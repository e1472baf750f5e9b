"""What three assets were worth month by month, as known today: equities, a ten-year Treasury, gold.

Belongs here: levels by month, and what they are. Does not belong here: returns after a regime (`followed.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assets.compute.calendar import Days, period_end
from assets.compute.lookup import View
from assets.compute.reading import Floats
from assets.compute.tables.equity_price import CLOSES, PRICE, RATIO, VALUE, price_history

YIELD, GOLD = "GS10", "GOLD_WB_MONTHLY"
SERIES = (PRICE, CLOSES, RATIO, VALUE, "GDP", YIELD, GOLD)
_TENOR_YEARS = 10.0
_PERIODS = 2  # coupons a year


@dataclass(frozen=True)
class AssetPath:
    """Level of one asset at month-ends, NaN where there is none. `basis` says what the level is."""

    name: str
    basis: str
    level: Floats
    months_between: int  # usual distance of two levels


def asset_paths(view: View, month_ends: Days) -> list[AssetPath]:
    """Levels on `month_ends`, from a view of one date: today's figures, each under the month it is about."""
    dates, prices, basis = price_history(view)
    step = 1 if basis.frequency == "M" else 3
    return [
        AssetPath("equities", basis.label, _on(month_ends, period_end(dates, basis.frequency), prices), step),
        AssetPath("treasury_10y", "constant_maturity_par_bond", _bond(view, month_ends), 1),
        AssetPath("gold", "monthly_average", _series(view, GOLD, month_ends), 1),
    ]


def par_bond_returns(yields_pct: Floats) -> Floats:
    """Return of each period on a ten-year par bond bought at the yield before, repriced a month later at the new one.

    Fractions; the first one is NaN. One month of coupon, plus the price of what is left at the new yield, half-yearly
    compounding (Swinkels 2019). A monthly average yield makes it smoother than a month-end one.
    """
    before, now = yields_pct[:-1] / 100.0, yields_pct[1:] / 100.0
    left = _TENOR_YEARS - 1.0 / 12.0
    discount = (1.0 + now / _PERIODS) ** (-_PERIODS * left)
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.where(now == 0, 1.0 + before * left, before / now * (1.0 - discount) + discount)
    result: Floats = np.concatenate([[np.nan], before / 12.0 + price - 1.0])
    return result


def _bond(view: View, month_ends: Days) -> Floats:
    """Index of a ten-year bond rolled every month; NaN from the first month without a yield."""
    yields = _series(view, YIELD, month_ends)
    known = np.flatnonzero(~np.isnan(yields))
    level = np.full(len(yields), np.nan)
    if len(known):
        first = known[0]
        level[first:] = np.cumprod(np.concatenate([[1.0], 1.0 + par_bond_returns(yields[first:])[1:]]))
    return level


def _series(view: View, series_id: str, month_ends: Days) -> Floats:
    dates = view.archive.observations(series_id).dates
    return _on(month_ends, period_end(dates, "M"), view.panel(series_id, dates)[-1])


def _on(month_ends: Days, dates: Days, values: Floats) -> Floats:
    if not len(dates):
        return np.full(len(month_ends), np.nan)
    position = np.minimum(np.searchsorted(dates, month_ends), len(dates) - 1)
    return np.where(dates[position] == month_ends, values[position], np.nan)
