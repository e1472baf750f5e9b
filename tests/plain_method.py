"""The method once more, in plain pandas and one date at a time, from the methodology's text.

An independent calculation: it imports nothing from `assets/compute`, and of the catalogue only lags, limits and late
releases. Sample profile: no S&P composite, no daily spreads, one profits basis (the live ones: `plain_long.py`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from tests.helpers import SAMPLE

Day = pd.Timestamp
NAN = float("nan")
RATIO = "NCBEILQ027S_GDP_PCT"
FIRST_TIPS, FIRST_WALCL_CHANGE, FIRST_RANGE = Day("2003-01-31"), Day("2003-06-19"), Day("2008-12-16")
SHARES, MARKETABLE = "SPASTT01USM661N", "MSPD_TOTAL_MARKETABLE"


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
    lags = [dict(series.release_lag_by_month).get(end.month, series.release_lag_days) for end in frame["end"]]
    frame["public"] = frame["end"] + pd.to_timedelta(lags, unit="D")
    for late in load_catalog().release_delays:
        if late.series_id == series_id and Day(late.observation_date) in frame.index and late.released_on:
            frame.loc[Day(late.observation_date), "public"] = Day(late.released_on)
    return frame


@lru_cache(maxsize=64)  # one date's
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


def target_in_force(day: Day) -> float:
    """Single target to 2008-12-15, upper limit of the range since; each decision holds until the next."""
    changes = figures("DFEDTARU" if day >= FIRST_RANGE else "DFEDTAR")["value"].dropna()
    in_force = changes[changes.index <= day]
    return float(in_force.iloc[-1]) if len(in_force) else NAN


def rates(at: Day) -> dict[str, float]:
    """Yields, inflation, the policy rate."""
    nominal = first_of(latest("DGS10", at), latest("GS10", at))
    tips = first_of(latest("DFII10", at), latest("FII10", at))
    real = tips if at >= FIRST_TIPS else nominal - latest("EXPINF10YR", at)
    before = at - pd.DateOffset(months=6)
    if at == at + pd.offsets.MonthEnd(0):
        before += pd.offsets.MonthEnd(0)
    moved = target_in_force(at) - target_in_force(before)
    cpi = growth("CPIAUCSL", at)
    return {
        "real_yields.nominal_10y_pct": nominal,
        "real_yields.tips_10y_pct": tips,
        "real_yields.real_10y_pct": real,
        "real_yields.breakeven_10y_pp": nominal - tips,
        "real_yields.cpi_yoy_pct": cpi,
        "real_yields.real_short_rate_pct": latest("TB3MS", at) - cpi,
        "real_yields.policy_rate_pct": target_in_force(at),
        "real_yields.policy_rate_change_6m_pp": moved,
    }


def prices_of_bases(at: Day) -> dict[str, pd.Series]:
    """Prices known on a date by period, on each basis whose newest one is within its limit."""
    of_gdp = known(RATIO, at) / 100.0 * known("GDP", at)
    found = {"oecd_shares": (SHARES, known(SHARES, at)), "z1_market_value_usd_bn": (RATIO, of_gdp.dropna())}
    return {
        basis: price
        for basis, (series_id, price) in found.items()
        if len(price)
        and (at - period_end(series_id, price.index[-1])).days
        <= load_catalog().series[series_id].staleness_limit_days
    }


def price_basis(at: Day) -> str | None:
    """The basis whose newest period ends last; the share price index where both end together."""
    held = prices_of_bases(at)
    series_of = {"oecd_shares": SHARES, "z1_market_value_usd_bn": RATIO}
    ends = {basis: period_end(series_of[basis], price.index[-1]) for basis, price in held.items()}
    return max(ends, key=lambda basis: ends[basis]) if ends else None


def past_of_price(price: pd.Series) -> tuple[float, float]:
    """Fall from the high since 1985 and change over a year, inside one basis."""
    now, high = price.iloc[-1], price[price.index >= "1985-01-01"].max()
    year_ago = price.get(price.index[-1] - pd.DateOffset(years=1), NAN)
    return 100.0 * (now / max(now, high) - 1.0), 100.0 * (now / year_ago - 1.0)


def equity(at: Day, nominal: float, real: float) -> dict[str, float]:
    """Profits and value of one quarter, and the past of the newest price on its own basis."""
    profits, of_gdp, gdp = same_period_of(["CP", RATIO, "GDP"], at)
    earnings_yield = 100.0 * profits / (of_gdp / 100.0 * gdp)
    held, basis = prices_of_bases(at), price_basis(at)
    drawdown, return_12m = past_of_price(held[basis]) if basis else (NAN, NAN)
    table = "equity_risk_premium"
    return {
        f"{table}.earnings_yield_pct": earnings_yield,
        f"{table}.erp_vs_nominal_10y_pp": earnings_yield - nominal,
        f"{table}.erp_vs_real_10y_pp": earnings_yield - real,
        f"{table}.equity_value_pct_gdp": latest(RATIO, at),
        f"{table}.equity_drawdown_pct": drawdown,
        f"{table}.equity_return_12m_pct": return_12m,
        f"{table}.equity_return_12m_oecd_shares_pct": past_of_price(held["oecd_shares"])[1]
        if "oecd_shares" in held
        else NAN,
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


def last_wednesday(day: Day) -> Day:
    """On or before a date."""
    return day - pd.Timedelta(days=(day.weekday() - 2) % 7)


@cache
def ledger() -> list[dict[str, Any]]:
    """Decisions that set the direction of the balance sheet, oldest first."""
    text = (PROJECT_ROOT / "assets" / "catalog" / "policy_events.toml").read_text(encoding="utf-8")
    return [event for event in tomllib.loads(text)["event"] if event["changes_direction"]]


def counted_by(at: Day, horizon_days: int = 90) -> list[dict[str, Any]]:
    """Decisions that count on a date, in that order: from the announcement if they take effect soon after it."""
    dated = []
    for event in ledger():
        announced = Day(event["announced_on"])
        effective = Day(event.get("effective_on", event["announced_on"]))
        soon = (effective - announced).days <= horizon_days
        dated.append((announced if soon else effective, event))
    return [event for day, event in sorted(dated, key=lambda pair: pair[0]) if day <= at]


def programme_start(at: Day) -> Day | None:
    """First day of the purchases under way: of the newest decision that begins a phase, since the last halt."""
    start = None
    for event in counted_by(at):
        if event["direction"] != 1:
            start = None
        elif start is None or "starts_phase" in event:
            start = Day(event.get("effective_on", event["announced_on"]))
    return start


def monetisation(at: Day) -> dict[str, float]:
    """The Fed's share of new debt and of the deficit, on the debt's own dates: two windows and since the start."""
    year = pd.DateOffset(years=1)
    month = newest(MARKETABLE, at, lambda stored, day: month_end_before(day, 12) in stored.index)
    quarter = newest("FYGFDPUN", at, lambda stored, day: day - year in stored.index)
    stamp, start = (quarter if month is None else month), programme_start(at)
    windows = dict.fromkeys(("12m", "6m", "since_start"), (NAN, NAN, NAN))
    if stamp is not None:
        series_id = "FYGFDPUN" if month is None else MARKETABLE
        end = period_end(series_id, stamp)
        for name, months in (("12m", 12), ("6m", 6)):
            wednesday = last_wednesday(end) - pd.Timedelta(weeks=52 * months // 12)
            windows[name] = shares(at, series_id, stamp, month_end_before(end, months), wednesday)
        base = None if start is None else start.replace(day=1) - pd.Timedelta(days=1)
        if base is not None and base < end:
            windows["since_start"] = shares(at, series_id, stamp, base, last_wednesday(base))
    table = "monetisation"
    return {
        f"{table}.share_12m_of_deficit_pct": windows["12m"][2],
        **{f"{table}.share_{name}_pct": of[0] for name, of in windows.items()},
        **{f"{table}.share_{name}_net_of_mbs_pct": of[1] for name, of in windows.items()},
    }


def shares(at: Day, series_id: str, stamp: Day, base: Day, wednesday: Day) -> tuple[float, float, float]:
    """Treasuries bought since the month-end `base`, of new debt, net of mortgage securities, and of the deficit."""
    debt, end, flows = known(series_id, at), period_end(series_id, stamp), known("MTSDS133FMS", at)
    before = base if series_id == MARKETABLE else base.replace(day=1) - pd.DateOffset(months=2)
    change_of_debt = debt.get(stamp, NAN) - debt.get(before, NAN)
    bought, mortgages = (
        stored.get(last_wednesday(end), NAN) - stored.get(wednesday, NAN)
        for stored in (known("TREAST", at), known("WSHOMCB", at))
    )
    months = 12 * (end.year - base.year) + end.month - base.month
    deficit = -sum(flows.get(end.replace(day=1) - pd.DateOffset(months=n), NAN) for n in range(months))
    of_deficit = 100.0 * bought / deficit
    if not (0.75 <= change_of_debt / deficit <= 1.5 or np.isnan(deficit)):
        return NAN, NAN, of_deficit
    net = bought + (NAN if np.isnan(mortgages) else min(mortgages, 0.0))
    return 100.0 * bought / change_of_debt, 100.0 * net / change_of_debt, of_deficit


def new_bills(at: Day) -> dict[str, float]:
    """Bills issued over a year, and their share of new marketable debt."""
    month = newest("MSPD_BILLS", at, lambda stored, day: day in known(MARKETABLE, at).index)
    table, flows = "fiscal_and_debt", [NAN, NAN]
    if month is not None:
        stored = (known("MSPD_BILLS", at), known(MARKETABLE, at))
        flows = [(of[month] - of.get(month_end_before(month, 12), NAN)) / 1000.0 for of in stored]
    return {
        f"{table}.bills_change_12m_usd_bn": flows[0],
        f"{table}.bill_share_of_new_debt_12m_pct": 100.0 * flows[0] / flows[1] if flows[1] > 0 else NAN,
    }


def core_inflation(at: Day) -> dict[str, float]:
    """Core PCE inflation, and its change over half a year."""

    def ends(day: Day) -> list[Day]:
        return [day - pd.DateOffset(months=n) for n in (0, 12, 6, 18)]

    day = newest("PCEPILFE", at, lambda stored, day: all(end in stored.index for end in ends(day)))
    now, year, half, before = ends(day) if day is not None else [Day(0)] * 4
    index = known("PCEPILFE", at)
    change_6m = 100.0 * (index[now] / index[year] - index[half] / index[before]) if day is not None else NAN
    return {
        "activity_inflation.core_pce_yoy_pct": growth("PCEPILFE", at),
        "activity_inflation.core_pce_yoy_change_6m_pp": change_6m,
    }


def policy_level(at: Day, core: float, gap: float) -> dict[str, float | str | None]:
    """Columns of `regime` on the level of the policy rate: real, against Taylor (1993), and in words from 2010."""
    rate = target_in_force(at)
    real = rate - core
    word = "accommodative" if real < 0.5 else "restrictive" if real > 1.5 else "neutral"
    in_words = at.year >= 2010 and not np.isnan(real)
    return {
        "real_policy_rate_pct": real,
        **{
            f"policy_gap_{name}_pp": rate - (neutral + core + 0.5 * (core - 2.0) + 0.5 * gap)
            for name, neutral in (("r05", 0.5), ("r10", 1.0), ("r20", 2.0))
        },
        "policy_level": word if in_words else None,
        "policy_level_distance_pp": min(abs(real - 0.5), abs(real - 1.5)) if in_words else NAN,
    }


def directions(at: Day, impulse_pct_gdp: float) -> dict[str, int]:
    """Direction of the balance sheet by each reading: announced, purchases technical, effective dates, realised."""
    announced, effective = counted_by(at), counted_by(at, 0)
    newest_decision = announced[-1] if announced else {"direction": 0}
    is_technical = newest_decision.get("is_reserve_management", False)
    return {
        "regime": newest_decision["direction"],
        "regime_purchases_technical": 0 if is_technical else newest_decision["direction"],
        "regime_effective_dates": effective[-1]["direction"] if effective else 0,
        "regime_realised": int(impulse_pct_gdp > 0.75) - int(impulse_pct_gdp < -0.75),
    }


def states(month_ends: Iterable[tuple[float, float, float, float, float, float]]) -> list[str]:
    """State of consecutive month-ends: score, valuation, economy, credit, Sahm gap and change of claims."""
    state, hot_before, cold_before, found = "mid_cycle", False, False, []
    for score, valuation, economy, credit, sahm, claims in month_ends:
        if np.isnan(score):
            state, hot_before, cold_before = "indeterminate", False, False
            found.append(state)
            continue
        hot = score >= 0.60 and valuation >= 0.70 and credit >= 0.40
        cold = score <= 0.40 and (economy <= 0.35 or credit <= 0.25)
        left_bubble = state == "bubble" and (score < 0.52 or valuation < 0.60)
        if state == "indeterminate" or left_bubble or (state == "depression" and score > 0.44):
            state = "mid_cycle"
        if state == "mid_cycle" and hot and hot_before:
            state = "bubble"
        elif state == "mid_cycle" and cold and (cold_before or sahm >= 0.5 or claims >= 30.0):
            state = "depression"
        hot_before, cold_before = hot, cold
        found.append(state)
    return found


def label(state: str, balance_sheet: int, rate_change_pp: float) -> str:
    """Name of the regime: a stance and a state."""
    if state == "indeterminate":
        return state
    rate = int(round(rate_change_pp, 9) <= -0.2) - int(round(rate_change_pp, 9) >= 0.2)
    stance = {1: "stimulus", 0: "neutral", -1: "tightening"}[int(np.sign(balance_sheet + rate))]
    return f"{stance}_{state}" if stance == "neutral" or state == "mid_cycle" else f"{stance}_into_{state}"


def month_end_before(day: Day, months: int) -> Day:
    """The month-end that many months before a month-end."""
    return day - pd.offsets.MonthEnd(months)


def figures_on(at: Day) -> dict[str, float]:
    """Every figure of the conditions and the stance on one date, by table.column."""
    of_rates = rates(at)
    cpi = of_rates["real_yields.cpi_yoy_pct"]
    corporate, treasury = same_period_of(["HQMCB10YR", "GS10"], at)
    actual, potential = same_period_of(["GDPC1", "GDPPOT"], at)
    return {
        **of_rates,
        **equity(at, of_rates["real_yields.nominal_10y_pct"], of_rates["real_yields.real_10y_pct"]),
        "activity_inflation.unemployment_rate_pct": latest("UNRATE", at),
        "activity_inflation.real_gdp_yoy_pct": growth("GDPC1", at),
        **core_inflation(at),
        "activity_inflation.output_gap_pct": 100.0 * (actual / potential - 1.0),
        "activity_inflation.sahm_gap_pp": sahm_gap(at),
        "activity_inflation.claims_change_pct": claims_change(at),
        "credit_spreads.ebp_pp": latest("EBP", at),
        "credit_spreads.gz_spread_pp": latest("GZ_SPREAD", at),
        "credit_spreads.hqm_10y_spread_pp": corporate - treasury,
        "credit_spreads.nfci_index": latest("NFCI", at),
        **balance_sheet(at, cpi),
        **monetisation(at),
        **new_bills(at),
    }
