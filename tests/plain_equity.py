"""Earnings and price on the basis each date can have, in plain pandas and one date at a time, from the methodology.

An independent calculation of the live profile's equity columns: it imports nothing from `assets/compute`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from tests.plain_long import on_real_files
from tests.plain_method import FIRST_TIPS, NAN, RATIO, Day, first_of, known, latest, period_end

TABLE = "equity_risk_premium"
RANKED = ("earnings_yield_pct", "erp_vs_nominal_10y_pp", "erp_vs_real_10y_pp", "equity_return_12m_pct")


@contextmanager
def on_sheet_until(folder: Path, last_month: str) -> Iterator[None]:
    """Every series from real files, Shiller's sheet as it was with that month as its last."""
    with on_real_files(folder, last_month):
        for computed in (index_by_month, market_value, earnings_yields):
            computed.cache_clear()
        yield


def is_old(series_id: str, day: Day, at: Day) -> bool:
    """Whether the figure of a period is older than the limit of its series."""
    return (at - period_end(series_id, day)).days > load_catalog().series[series_id].staleness_limit_days


@cache
def index_by_month(at: Day) -> pd.Series:
    """Shiller's averages, and for the months right after them the mean of their closes, once the month is over."""
    price, quotes = known("SHILLER_PRICE", at), known("SP500", at)
    if price.empty or quotes.empty or is_old("SP500", quotes.index[-1], at):
        return price
    first = price.index[-1] + pd.DateOffset(months=1)
    months = pd.date_range(first, at, freq="MS")
    months = months[months + pd.offsets.MonthEnd(0) <= at]
    closes = quotes[quotes.index >= first]
    by_month = closes.groupby(closes.index.to_period("M").to_timestamp()).mean().reindex(months)
    return pd.concat([price, by_month[by_month.notna().cummin()]])


def index_is_fresh(price: pd.Series, at: Day) -> bool:
    return len(price) > 0 and not is_old("SHILLER_PRICE", price.index[-1], at)


@cache
def market_value(at: Day) -> pd.Series:
    """Published ratio times the output of its own quarter, by quarter."""
    return (known(RATIO, at) / 100.0 * known("GDP", at)).dropna()


def past_of(price: pd.Series) -> tuple[float, float]:
    """Fall from the high since 1985, and the change over a year, on one series of prices."""
    now, high = price.iloc[-1], price[price.index >= "1985-01-01"].max()
    year_ago = price.get(price.index[-1] - pd.DateOffset(years=1), NAN)
    return 100.0 * (now / max(now, high) - 1.0) if high == high else NAN, 100.0 * (now / year_ago - 1.0)


@cache
def earnings_yields(at: Day) -> dict[str, float]:
    """Reported earnings over the index; profits over the market value of one quarter."""
    price, reported = index_by_month(at), known("SHILLER_EARNINGS", at)
    reported = reported[reported.index.month % 3 == 0]
    ttm = nipa = NAN
    if index_is_fresh(price, at) and len(reported) and not is_old("SHILLER_EARNINGS", reported.index[-1], at):
        ttm = 100.0 * reported.iloc[-1] / price.iloc[-1]
    both = pd.concat([market_value(at), known("CP", at)], axis=1).dropna()
    if len(both) and not is_old(RATIO, both.index[-1], at):
        nipa = 100.0 * both.iloc[-1, 1] / both.iloc[-1, 0]
    return {"ttm": ttm, "nipa": nipa}


def figures_of_bases(at: Day) -> dict[str, float]:
    """Every ranked figure on every basis, by column and basis."""
    nominal = first_of(latest("DGS10", at), latest("GS10", at))
    tips = first_of(latest("DFII10", at), latest("FII10", at))
    real = tips if at >= FIRST_TIPS else nominal - latest("EXPINF10YR", at)
    figures = {}
    for basis, yield_ in earnings_yields(at).items():
        figures[f"earnings_yield_pct {basis}"] = yield_
        figures[f"erp_vs_nominal_10y_pp {basis}"] = yield_ - nominal
        figures[f"erp_vs_real_10y_pp {basis}"] = yield_ - real
    price, value = index_by_month(at), market_value(at)
    figures["equity_return_12m_pct sp_composite"] = past_of(price)[1] if index_is_fresh(price, at) else NAN
    is_value = len(value) > 0 and not is_old(RATIO, value.index[-1], at)
    figures["equity_return_12m_pct z1_market_value_usd_bn"] = past_of(value)[1] if is_value else NAN
    return figures


def bases_on(at: Day) -> tuple[str | None, str | None]:
    """Basis of earnings and of price: reported earnings where known; the price whose period ends last."""
    yields = earnings_yields(at)
    earnings = next((basis for basis in ("ttm", "nipa") if not np.isnan(yields[basis])), None)
    price, value = index_by_month(at), market_value(at)
    ends = {}
    if index_is_fresh(price, at):
        ends["sp_composite"] = period_end("SHILLER_PRICE", price.index[-1])
    if len(value) and not is_old(RATIO, value.index[-1], at):
        ends["z1_market_value_usd_bn"] = period_end(RATIO, value.index[-1])
    return earnings, max(ends, key=lambda basis: ends[basis]) if ends else None


def drawdown(at: Day) -> float:
    """Inside the basis of the price."""
    _, basis = bases_on(at)
    return past_of(index_by_month(at) if basis == "sp_composite" else market_value(at))[0]


def rank(history: pd.Series, own: float) -> float:
    """Among the month-ends up to the date, its own included."""
    values = history.dropna().round(6)
    if np.isnan(own) or len(values) < 120:
        return NAN
    own = round(own, 6)
    return float(((values < own).sum() + 0.5 * (values == own).sum()) / len(values))
