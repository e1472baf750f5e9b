"""The record before 1994-12 once more, in plain pandas and one month-end at a time: ranks since 1953, real files.

Nothing of `assets/compute` is imported; recessions are those of FRED's USREC.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

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
