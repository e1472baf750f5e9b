"""The live profile on real files once more, in plain pandas and one month-end at a time: the record before 1994-12 with
ranks since 1953, and earnings and price on the basis each date can have.

Nothing of `assets/compute` is imported; recessions are those of FRED's USREC.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from tests import plain_method as plain
from tests.helpers import REAL_FILES, SAMPLE
from tests.plain_method import NAN, RATIO, Day, growth, known, latest, newest, same_period_of

START, FIRST, LAST = "1953-04-30", "1963-01-31", "1994-11-30"
HIGH = ("equity_value_to_gdp", "cape", "equity_return_12m", "real_gdp_growth", "real_bank_credit")
RANKS = ("earnings_yield", "erp_vs_nominal_10y", "erp_vs_real_10y", "equity_value_to_gdp", "cape")
SPREADS = ("excess_bond_premium", "gz_spread", "baa_10y_spread", "hqm_10y_spread")


@contextmanager
def on_real_files(folder: Path, shiller_until: str | None = None) -> Iterator[None]:
    """The lookups of `plain_method` read the real files, Shiller's sheet up to a month."""

    @cache
    def figures(series_id: str) -> pd.DataFrame:
        file = f"{REAL_FILES.get(series_id, series_id)}.csv"
        found = plain.dated(series_id, SAMPLE / file if series_id == "DFEDTAR" else folder / file)
        return found[:shiller_until] if series_id.startswith("SHILLER") else found

    of_sample = plain.figures
    plain.figures = figures
    plain.known.cache_clear()
    try:
        yield
    finally:
        plain.figures = of_sample
        plain.known.cache_clear()


def equity(at: Day, nominal: float) -> dict[str, float]:
    """Reported earnings of the newest quarter-end over the month's price, and the past of that price."""
    price, earnings = known("SHILLER_PRICE", at), known("SHILLER_EARNINGS", at)
    now, month = price.iloc[-1], price.index[-1]
    earnings = earnings[earnings.index.month % 3 == 0]
    yield_ = 100.0 * earnings.iloc[-1] / now
    quarters = pd.date_range(end=earnings.index[-1], periods=40, freq="3MS")
    real = earnings.reindex(quarters) / known("CPIAUCSL", at).reindex(quarters) * latest("CPIAUCSL", at)
    high = price[price.index >= "1953-04-30"].max()  # the average of a month is dated on its first day
    return {
        "earnings_yield": yield_,
        "erp_vs_nominal_10y": yield_ - nominal,
        "erp_vs_real_10y": yield_ - (nominal - latest("EXPINF10YR", at)),
        "equity_value_to_gdp": latest(RATIO, at),
        "cape": now / real.mean(skipna=False),
        "drawdown": 100.0 * (now / max(now, high) - 1.0) if high == high else NAN,
        "equity_return_12m": 100.0 * (now / price[month - pd.DateOffset(years=1)] - 1.0),
    }


def figures_on(at: Day) -> dict[str, float]:
    """Every figure of the score, and the change of the policy rate."""
    nominal = plain.first_of(latest("DGS10", at), latest("GS10", at))
    corporate, treasury = same_period_of(["HQMCB10YR", "GS10"], at)
    before = at - pd.offsets.MonthEnd(6)
    target = plain.target_in_force(at) - plain.target_in_force(before)
    month = newest("FEDFUNDS", at, lambda stored, day: day - pd.DateOffset(months=6) in stored.index)
    funds = NAN
    if month is not None:
        funds = known("FEDFUNDS", at)[month] - known("FEDFUNDS", at)[month - pd.DateOffset(months=6)]
    return {
        **equity(at, nominal),
        "unemployment": latest("UNRATE", at),
        "real_gdp_growth": growth("GDPC1", at),
        "sahm_gap": plain.sahm_gap(at),
        "claims_change": plain.claims_change(at),
        "excess_bond_premium": latest("EBP", at),
        "gz_spread": latest("GZ_SPREAD", at),
        "baa_10y_spread": plain.first_of(latest("BAA10Y", at), latest("BAA10YM", at)),
        "hqm_10y_spread": corporate - treasury,
        "nfci": latest("NFCI", at),
        "real_bank_credit": growth("TOTBKCR", at) - growth("CPIAUCSL", at),
        "rate": plain.first_of(target, funds),
    }


def ranks(values: pd.Series, is_hot_when_high: bool) -> pd.Series:
    """Score of every month-end from its rank among those up to it."""
    rounded, out = values.round(6), []
    for n in range(len(rounded)):
        past, own = rounded.iloc[: n + 1].dropna(), rounded.iloc[n]
        rank = ((past < own).sum() + 0.5 * (past == own).sum()) / max(len(past), 1)
        out.append(NAN if np.isnan(own) or len(past) < 120 else rank if is_hot_when_high else 1.0 - rank)
    return pd.Series(out, values.index)


def weighted(blocks: list[tuple[float, float]]) -> tuple[float, float]:
    """Mean over the blocks present, and their weight."""
    there = [(weight, score) for weight, score in blocks if not np.isnan(score)]
    total = sum(weight for weight, _ in there)
    return (sum(w * s for w, s in there) / total if total else NAN), total


def mean(row: pd.Series, names: tuple[str, ...]) -> float:
    return float(row[list(names)].mean())


def scores(row: pd.Series) -> tuple[float, float, float]:
    """Valuation, economy, credit of one month-end, from the scores of its components."""
    fall = 1.0 + max(row["drawdown"], -35.0) / 35.0
    valuation, _ = weighted([(0.65, mean(row, RANKS)), (0.175, fall), (0.175, row["equity_return_12m"])])
    covered = 0.13 * row[list(RANKS)].notna().sum() + 0.175 * (
        int(not np.isnan(fall)) + int(not np.isnan(row["equity_return_12m"]))
    )
    signs = [1.0 - row["sahm_gap"] / 0.5, 1.0 - row["claims_change"] / 30.0]
    there = [min(max(sign, 0.0), 1.0) for sign in signs if not np.isnan(sign)]
    found = [
        (valuation, covered),
        weighted([(0.4, row["unemployment"]), (0.3, row["real_gdp_growth"]), (0.3, min(there, default=NAN))]),
        weighted([(0.5, mean(row, SPREADS)), (0.25, row["nfci"]), (0.25, row["real_bank_credit"])]),
    ]
    v, e, c = (score if round(weight, 6) >= 0.5 else NAN for score, weight in found)
    return v, e, c


def record(folder: Path) -> pd.DataFrame:
    """Scores, state, label and recession of every month-end from 1963-01 to 1994-11."""
    days = pd.date_range(START, LAST, freq="ME")
    with on_real_files(folder):
        raw = pd.DataFrame([figures_on(day) for day in days], index=days)
    kept = raw[["drawdown", "sahm_gap", "claims_change", "rate"]]
    ranked = raw.drop(columns=kept.columns)
    component = pd.concat(
        [kept, *(ranks(values, name in HIGH).rename(name) for name, values in ranked.items())], axis=1
    )
    recession = pd.read_csv(folder / "USREC.csv", parse_dates=["date"]).set_index("date")["value"]
    found = pd.DataFrame(
        [scores(row) for _, row in component.iterrows()], days, ["valuation", "economy", "credit"]
    )
    found.insert(0, "bubble", (found["valuation"] + found["economy"] + found["credit"]) / 3.0)
    signs = component[["sahm_gap", "claims_change"]].round(9)
    found["state"] = plain.states(pd.concat([found, signs], axis=1).itertuples(index=False, name=None))
    found["rate"] = component["rate"]
    found["label"] = [
        "indeterminate" if np.isnan(rate) else plain.label(state, 0, rate)
        for state, rate in zip(found["state"], found["rate"], strict=True)
    ]
    found["recession"] = recession[days.to_period("M").to_timestamp()].astype(bool).to_numpy()
    return found[FIRST:]


# ---- equities

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
    return (at - plain.period_end(series_id, day)).days > load_catalog().series[
        series_id
    ].staleness_limit_days


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
    nominal = plain.first_of(latest("DGS10", at), latest("GS10", at))
    tips = plain.first_of(latest("DFII10", at), latest("FII10", at))
    real = tips if at >= plain.FIRST_TIPS else nominal - latest("EXPINF10YR", at)
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
        ends["sp_composite"] = plain.period_end("SHILLER_PRICE", price.index[-1])
    if len(value) and not is_old(RATIO, value.index[-1], at):
        ends["z1_market_value_usd_bn"] = plain.period_end(RATIO, value.index[-1])
    return earnings, max(ends, key=lambda basis: ends[basis]) if ends else None


def drawdown(at: Day) -> float:
    """Inside the basis of the price."""
    _, basis = bases_on(at)
    return past_of(index_by_month(at) if basis == "sp_composite" else market_value(at))[0]


def rank_among(history: pd.Series, own: float) -> float:
    """Among the month-ends up to the date, its own included."""
    values = history.dropna().round(6)
    if np.isnan(own) or len(values) < 120:
        return NAN
    own = round(own, 6)
    return float(((values < own).sum() + 0.5 * (values == own).sum()) / len(values))
