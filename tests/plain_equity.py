"""Earnings and price on the basis each date can have, in plain pandas and one date at a time, from the methodology.

An independent calculation of the live profile's equity columns: it imports nothing from `assets/compute`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from tests.helpers import REAL_FILES
from tests.plain_method import FIRST_TIPS, NAN, RATIO, Day, dated, first_of

SERIES = (
    "SHILLER_PRICE",
    "SHILLER_EARNINGS",
    "SP500",
    "CP",
    RATIO,
    "GDP",
    "DGS10",
    "GS10",
    "DFII10",
    "FII10",
    "EXPINF10YR",
)
TABLE = "equity_risk_premium"
RANKED = ("earnings_yield_pct", "erp_vs_nominal_10y_pp", "erp_vs_real_10y_pp", "equity_return_12m_pct")


@dataclass(frozen=True, eq=False)
class Stored:
    """Frames by series; hashed by identity, so that what is computed from them is computed once."""

    frames: Mapping[str, pd.DataFrame]


def read(folder: Path, shiller_until: str) -> Stored:
    """Every series from real files, Shiller's sheet as it was with that month as its last."""
    frames = {s: dated(s, folder / f"{REAL_FILES.get(s, s)}.csv").dropna() for s in SERIES}
    return Stored({s: f[:shiller_until] if s.startswith("SHILLER") else f for s, f in frames.items()})


@cache
def known(stored: Stored, series_id: str, at: Day) -> pd.DataFrame:
    """Rows that were public on a date."""
    frame = stored.frames[series_id]
    return frame[frame["public"].to_numpy() <= at.to_numpy()]


def limit(series_id: str) -> int:
    return load_catalog().series[series_id].staleness_limit_days


def latest(stored: Stored, series_id: str, at: Day) -> float:
    """Newest figure within its limit."""
    rows = known(stored, series_id, at)
    if rows.empty or (at - rows["end"].iloc[-1]).days > limit(series_id):
        return NAN
    return float(rows["value"].iloc[-1])


@cache
def index_by_month(stored: Stored, at: Day) -> pd.Series:
    """Shiller's averages, and for the months right after them the mean of their closes, once the month is over."""
    average = known(stored, "SHILLER_PRICE", at)
    if average.empty:
        return pd.Series(dtype="float64")
    price, month = average["value"], average.index[-1]
    quotes = known(stored, "SP500", at)
    if quotes.empty or (at - quotes["end"].iloc[-1]).days > limit("SP500"):
        return price
    months = pd.date_range(month + pd.DateOffset(months=1), at, freq="MS")
    months = months[months + pd.offsets.MonthEnd(0) <= at]
    closes = quotes["value"][quotes.index >= month + pd.DateOffset(months=1)]
    by_month = closes.groupby(closes.index.to_period("M").to_timestamp()).mean().reindex(months)
    return pd.concat([price, by_month[by_month.notna().cummin()]])


def index_is_fresh(price: pd.Series, at: Day) -> bool:
    return len(price) > 0 and (at - (price.index[-1] + pd.offsets.MonthEnd(0))).days <= limit("SHILLER_PRICE")


@cache
def market_value(stored: Stored, at: Day) -> pd.Series:
    """Published ratio times the output of its own quarter, by quarter."""
    ratio, gdp = known(stored, RATIO, at), known(stored, "GDP", at)
    return (ratio["value"] / 100.0 * gdp["value"]).dropna()


def quarter_end(day: Day) -> Day:
    return day + pd.DateOffset(months=2) + pd.offsets.MonthEnd(0)


def is_fresh(day: Day, at: Day) -> bool:
    return (at - quarter_end(day)).days <= limit(RATIO)


def past_of(price: pd.Series) -> tuple[float, float]:
    """Fall from the high since 1985, and the change over a year, on one series of prices."""
    now, high = price.iloc[-1], price[price.index >= "1985-01-01"].max()
    year_ago = price.get(price.index[-1] - pd.DateOffset(years=1), NAN)
    return 100.0 * (now / max(now, high) - 1.0) if high == high else NAN, 100.0 * (now / year_ago - 1.0)


@cache
def earnings_yields(stored: Stored, at: Day) -> dict[str, float]:
    """Reported earnings over the index; profits over the market value of one quarter."""
    price, reported = index_by_month(stored, at), known(stored, "SHILLER_EARNINGS", at)
    reported = reported[reported.index.month % 3 == 0]
    ttm = NAN
    if index_is_fresh(price, at) and len(reported):
        age = (at - reported["end"].iloc[-1]).days
        ttm = 100.0 * reported["value"].iloc[-1] / price.iloc[-1] if age <= limit("SHILLER_EARNINGS") else NAN
    value, profits = market_value(stored, at), known(stored, "CP", at)["value"]
    both = pd.concat([value, profits], axis=1).dropna()
    nipa = NAN
    if len(both) and is_fresh(both.index[-1], at):
        nipa = 100.0 * both.iloc[-1, 1] / both.iloc[-1, 0]
    return {"ttm": ttm, "nipa": nipa}


def figures_of_bases(stored: Stored, at: Day) -> dict[str, float]:
    """Every ranked figure on every basis, by column and basis."""
    nominal = first_of(latest(stored, "DGS10", at), latest(stored, "GS10", at))
    tips = first_of(latest(stored, "DFII10", at), latest(stored, "FII10", at))
    real = tips if at >= FIRST_TIPS else nominal - latest(stored, "EXPINF10YR", at)
    figures = {}
    for basis, yield_ in earnings_yields(stored, at).items():
        figures[f"earnings_yield_pct {basis}"] = yield_
        figures[f"erp_vs_nominal_10y_pp {basis}"] = yield_ - nominal
        figures[f"erp_vs_real_10y_pp {basis}"] = yield_ - real
    price, value = index_by_month(stored, at), market_value(stored, at)
    figures["equity_return_12m_pct sp_composite"] = past_of(price)[1] if index_is_fresh(price, at) else NAN
    is_value = len(value) > 0 and is_fresh(value.index[-1], at)
    figures["equity_return_12m_pct z1_market_value_usd_bn"] = past_of(value)[1] if is_value else NAN
    return figures


def bases_on(stored: Stored, at: Day) -> tuple[str | None, str | None]:
    """Basis of earnings and of price: reported earnings where known; the price whose period ends last."""
    yields = earnings_yields(stored, at)
    earnings = next((basis for basis in ("ttm", "nipa") if not np.isnan(yields[basis])), None)
    price, value = index_by_month(stored, at), market_value(stored, at)
    ends = {}
    if index_is_fresh(price, at):
        ends["sp_composite"] = price.index[-1] + pd.offsets.MonthEnd(0)
    if len(value) and is_fresh(value.index[-1], at):
        ends["z1_market_value_usd_bn"] = quarter_end(value.index[-1])
    return earnings, max(ends, key=lambda basis: ends[basis]) if ends else None


def drawdown(stored: Stored, at: Day) -> float:
    """Inside the basis of the price."""
    _, basis = bases_on(stored, at)
    return past_of(index_by_month(stored, at) if basis == "sp_composite" else market_value(stored, at))[0]


def rank(history: pd.Series, own: float) -> float:
    """Among the month-ends up to the date, its own included."""
    values = history.dropna().round(6)
    if np.isnan(own) or len(values) < 120:
        return NAN
    own = round(own, 6)
    return float(((values < own).sum() + 0.5 * (values == own).sum()) / len(values))
