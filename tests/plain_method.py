"""The method once more, in plain pandas and one date at a time, from the methodology's text.

An independent calculation: it imports nothing from `assets/compute`, and of the catalogue only lags, limits and late
releases. Sample profile: no S&P composite, no daily spreads, one profits basis (the live ones: `plain_equity.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from tests.helpers import SAMPLE

Day = pd.Timestamp
NAN = float("nan")
RATIO = "NCBEILQ027S_GDP_PCT"
FIRST_TIPS, FIRST_WALCL_CHANGE, RANGE_LONG_ENOUGH = Day("2003-01-31"), Day("2003-06-19"), Day("2009-06-15")


def period_end(series_id: str, day: Day) -> Day:
    """Last day of the period a figure is about."""
    frequency = load_catalog().series[series_id].frequency
    if frequency in "DW":
        return day
    return day + pd.DateOffset(months=2 if frequency == "Q" else 0) + pd.offsets.MonthEnd(0)


@cache
def figures(series_id: str) -> pd.DataFrame:
    """Value, period end and first publication by observation date, in the sample."""
    return dated(series_id, SAMPLE / f"{series_id}.csv")


def dated(series_id: str, path: Path) -> pd.DataFrame:
    """The same of any file `date,value`."""
    series = load_catalog().series[series_id]
    frame = pd.read_csv(path, parse_dates=["date"]).set_index("date")
    frame["end"] = [period_end(series_id, day) for day in frame.index]
    fourth = series.release_lag_q4_days if series.release_lag_q4_days is not None else series.release_lag_days
    lags = [fourth if end.month == 12 else series.release_lag_days for end in frame["end"]]
    frame["public"] = frame["end"] + pd.to_timedelta(lags, unit="D")
    for late in load_catalog().release_delays:
        if late.series_id == series_id and Day(late.observation_date) in frame.index and late.released_on:
            frame.loc[Day(late.observation_date), "public"] = Day(late.released_on)
    return frame


def known(series_id: str, at: Day) -> pd.Series:
    """What was known of a series on a date."""
    frame = figures(series_id)
    return frame.loc[frame["public"] <= at, "value"].dropna()


def newest(series_id: str, at: Day, needs: Callable[[pd.Series, Day], bool] | None = None) -> Day | None:
    """Newest observation within the limit, for which all that is needed is there."""
    limit, stored = load_catalog().series[series_id].staleness_limit_days, known(series_id, at)
    for day in reversed(stored.index):
        if (at - figures(series_id).loc[day, "end"]).days > limit:
            return None
        if needs is None or needs(stored, day):
            return day
    return None


def latest(series_id: str, at: Day) -> float:
    """Its value."""
    day = newest(series_id, at)
    return NAN if day is None else float(figures(series_id).loc[day, "value"])


def change(series_id: str, at: Day, months: int) -> tuple[float, float]:
    """Newest value with an earlier end, and that end: exact months, or 26 and 52 weeks."""
    weekly = load_catalog().series[series_id].frequency == "W"
    back = pd.Timedelta(weeks=52 * months // 12) if weekly else pd.DateOffset(months=months)
    day = newest(series_id, at, lambda stored, day: day - back in stored.index)
    if day is None:
        return NAN, NAN
    values = figures(series_id)["value"]
    return float(values[day]), float(values[day - back])


def growth(series_id: str, at: Day, months: int = 12) -> float:
    """Percent change."""
    now, then = change(series_id, at, months)
    return 100.0 * (now / then - 1.0)


def first_of(*values: float) -> float:
    """The first that is there."""
    return next((value for value in values if not np.isnan(value)), NAN)


def same_period_of(series_ids: list[str], at: Day) -> list[float]:
    """Values of the newest period for which all are known and none is too old."""
    stored = pd.concat([known(s, at) for s in series_ids], axis=1).dropna()
    limits = [load_catalog().series[s].staleness_limit_days for s in series_ids]
    if stored.empty or (at - period_end(series_ids[0], stored.index[-1])).days > min(limits):
        return [NAN] * len(series_ids)
    return [float(value) for value in stored.iloc[-1]]


def rates(at: Day) -> dict[str, float]:
    """Yields, inflation, the policy rate."""
    nominal = first_of(latest("DGS10", at), latest("GS10", at))
    tips = first_of(latest("DFII10", at), latest("FII10", at))
    real = tips if at >= FIRST_TIPS else nominal - latest("EXPINF10YR", at)
    target = pd.concat([figures(series_id)["value"] for series_id in ("DFEDTAR", "DFEDTARU")])
    before = at - pd.DateOffset(months=6)
    if at == at + pd.offsets.MonthEnd(0):
        before += pd.offsets.MonthEnd(0)
    moved = target.asof(at) - target.asof(before)
    cpi = growth("CPIAUCSL", at)
    return {
        "real_yields.nominal_10y_pct": nominal,
        "real_yields.tips_10y_pct": tips,
        "real_yields.real_10y_pct": real,
        "real_yields.breakeven_10y_pp": nominal - tips,
        "real_yields.cpi_yoy_pct": cpi,
        "real_yields.real_short_rate_pct": latest("TB3MS", at) - cpi,
        "real_yields.policy_rate_change_6m_pp": moved,
    }


def equity(at: Day, nominal: float, real: float) -> dict[str, float]:
    """Profits and value of one quarter, and the market value as a price."""
    profits, of_gdp, gdp = same_period_of(["CP", RATIO, "GDP"], at)
    earnings_yield = 100.0 * profits / (of_gdp / 100.0 * gdp)
    price = (known(RATIO, at) / 100.0 * known("GDP", at)).dropna()
    high = price[price.index >= "1985-01-01"].max()
    now, year_ago = price.iloc[-1], price.get(price.index[-1] - pd.DateOffset(years=1), NAN)
    table = "equity_risk_premium"
    return {
        f"{table}.earnings_yield_pct": earnings_yield,
        f"{table}.erp_vs_nominal_10y_pp": earnings_yield - nominal,
        f"{table}.erp_vs_real_10y_pp": earnings_yield - real,
        f"{table}.equity_value_pct_gdp": latest(RATIO, at),
        f"{table}.equity_drawdown_pct": 100.0 * (now / high - 1.0),
        f"{table}.equity_return_12m_pct": 100.0 * (now / year_ago - 1.0),
    }


def sahm_gap(at: Day) -> float:
    """Newest three-month mean less the lowest of the twelve before it, published months only."""
    rate, last = known("UNRATE", at), newest("UNRATE", at)
    if last is None:
        return NAN

    def mean(n: int) -> float:
        months = [last - pd.DateOffset(months=n + k) for k in range(3)]
        there = [float(rate[month]) for month in months if month in rate.index]
        return float(np.mean(there)) if len(there) > 1 else NAN

    earlier = [mean(n) for n in range(1, 13)]
    return mean(0) - float(np.nanmin(earlier)) if np.isfinite(earlier).sum() > 9 else NAN


def claims_change(at: Day) -> float:
    """Mean of the newest four weeks against the same weeks a year before."""
    stored = known("ICSA", at)
    weeks = [pd.Timedelta(weeks=n) for n in range(4)]
    year = pd.Timedelta(weeks=52)
    last = newest(
        "ICSA", at, lambda _, day: all(d in stored.index for w in weeks for d in (day - w, day - w - year))
    )
    if last is None:
        return NAN
    now, then = ([stored[last - w - gap] for w in weeks] for gap in (pd.Timedelta(0), year))
    return 100.0 * (float(np.mean(now)) / float(np.mean(then)) - 1.0)


def balance_sheet(at: Day, cpi: float) -> dict[str, float]:
    """Growth, impulse, need, and real bank credit."""
    has_assets = at >= FIRST_WALCL_CHANGE
    series_id, unit = ("WALCL", 1000.0) if has_assets else ("BOGMBASE", 1.0)
    now, half_year_ago = change(series_id, at, 6)
    assets = 100.0 * ((now / half_year_ago) ** 2 - 1.0)
    credit, output = growth("TOTBKCR", at), growth("GDP", at)
    table = "reserve_growth"
    return {
        f"{table}.fed_assets_growth_26w_pct": assets,
        f"{table}.balance_sheet_impulse_pct_gdp": 200.0 * (now - half_year_ago) / unit / latest("GDP", at),
        f"{table}.excess_growth_pp": assets - max(credit, output),
        f"{table}.real_bank_credit_yoy_pct": credit - cpi,
    }


def monetisation(at: Day) -> dict[str, float]:
    """The Fed's share of new debt and of the deficit, on the debt's own dates."""
    year = pd.DateOffset(years=1)
    quarter = newest("FYGFDPUN", at, lambda stored, day: day - year in stored.index)
    if quarter is None:
        return {}
    end, debt, stored = period_end("FYGFDPUN", quarter), known("FYGFDPUN", at), known("TREAST", at)
    wednesday = end - pd.Timedelta(days=(end.weekday() - 2) % 7)
    bought = stored.get(wednesday, NAN) - stored.get(wednesday - pd.Timedelta(weeks=52), NAN)
    flows = known("MTSDS133FMS", at)
    deficit = -sum(flows.get(end.replace(day=1) - pd.DateOffset(months=n), NAN) for n in range(12))
    return {
        "monetisation.monetisation_share_pct": 100.0 * bought / (debt[quarter] - debt[quarter - year]),
        "monetisation.monetisation_share_of_deficit_pct": 100.0 * bought / deficit,
    }


def figures_on(at: Day) -> dict[str, float]:
    """Every figure of the conditions and the stance on one date, by table.column."""
    of_rates = rates(at)
    cpi = of_rates["real_yields.cpi_yoy_pct"]
    corporate, treasury = same_period_of(["HQMCB10YR", "GS10"], at)
    return {
        **of_rates,
        **equity(at, of_rates["real_yields.nominal_10y_pct"], of_rates["real_yields.real_10y_pct"]),
        "activity_inflation.unemployment_rate_pct": latest("UNRATE", at),
        "activity_inflation.real_gdp_yoy_pct": growth("GDPC1", at),
        "activity_inflation.core_pce_yoy_pct": growth("PCEPILFE", at),
        "activity_inflation.sahm_gap_pp": sahm_gap(at),
        "activity_inflation.claims_change_pct": claims_change(at),
        "credit_spreads.ebp_pp": latest("EBP", at),
        "credit_spreads.gz_spread_pp": latest("GZ_SPREAD", at),
        "credit_spreads.hqm_10y_spread_pp": corporate - treasury,
        "credit_spreads.nfci_index": latest("NFCI", at),
        **balance_sheet(at, cpi),
        **monetisation(at),
    }
