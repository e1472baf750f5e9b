"""The yearly rule once more, in plain pandas and one year at a time, from the text the command prints."""

from __future__ import annotations

import numpy as np
import pandas as pd
from arch.bootstrap import StationaryBootstrap

NAN = float("nan")
WAR = {*range(1914, 1919), *range(1939, 1946)}
Row = dict[str, float | str]


def figures(rows: pd.DataFrame) -> dict[int, Row]:
    """What the rule reads, by year; `rows` of one country."""
    by_year = {int(row["year"]): row for row in rows.to_dict("records")}
    found: dict[int, Row] = {}
    price, high = 1.0, NAN

    def at(name: str, year: int) -> float:
        return by_year[year][name] if year in by_year else NAN

    def growth(name: str, year: int) -> float:
        return 100.0 * (at(name, year) / at(name, year - 1) - 1.0)

    for year in by_year:
        change = at("eq_capgain", year)
        if np.isnan(change):
            price, high, drawdown = 1.0, NAN, NAN
        else:
            price *= 1.0 + change
            high = price if np.isnan(high) else max(high, price)
            drawdown = 100.0 * (price / high - 1.0)
        inflation = growth("cpi", year)
        expected = float(np.mean([growth("cpi", year - n) for n in range(5)]))
        dividend, output = (
            100.0 * at("eq_dp", year),
            [at("rgdpmad", y) * at("pop", y) for y in (year, year - 1)],
        )
        found[year] = {
            "dividend": dividend,
            "premium": dividend - at("ltrate", year),
            "real_premium": dividend - at("ltrate", year) + expected,
            "drawdown": drawdown,
            "price_change": 100.0 * change,
            "unemployment": at("unemp", year),
            "rise": at("unemp", year) - at("unemp", year - 1),
            "output": 100.0 * (output[0] / output[1] - 1.0),
            "loans": growth("tloans", year) - inflation,
            "rate": at("stir", year) - at("stir", year - 1),
            "real_growth": (1.0 + at("eq_tr", year)) / (1.0 + inflation / 100.0),
            "crisis": at("crisisJST", year),
        }
    return found


def rank(found: dict[int, Row], name: str, year: int) -> float:
    """Among this year and the ones before outside the wars; NaN with fewer than twenty."""
    values = [round(float(found[y][name]), 6) for y in found if y <= year and y not in WAR]
    values = [value for value in values if not np.isnan(value)]
    own = round(float(found[year][name]), 6)
    if np.isnan(own) or len(values) < 20:
        return NAN
    return (sum(v < own for v in values) + 0.5 * sum(v == own for v in values)) / len(values)


def mean_of(parts: list[tuple[float, float]], least: float = 0.5) -> float:
    """Weighted mean of the scores present; NaN where they cover less than half of the weight."""
    present = [(weight, score) for weight, score in parts if not np.isnan(score)]
    covered = sum(weight for weight, _ in present)
    return NAN if round(covered, 6) < least else sum(w * s for w, s in present) / covered


def scores(found: dict[int, Row], year: int) -> tuple[float, float, float]:
    """Valuation, economy, credit."""
    if year in WAR:
        return NAN, NAN, NAN
    own = {name: float(value) for name, value in found[year].items()}
    yields = [1.0 - rank(found, name, year) for name in ("dividend", "premium", "real_premium")]
    known = [score for score in yields if not np.isnan(score)]
    fall = 1.0 - max(own["drawdown"], -35.0) / -35.0
    blocks = [
        (0.65, float(np.mean(known)) if known else NAN),
        (0.175, fall),
        (0.175, rank(found, "price_change", year)),
    ]
    covered = sum(w for w, s in blocks[1:] if not np.isnan(s)) + 0.65 * len(known) / 5
    valuation = mean_of(blocks, 0.0) if round(covered, 6) >= 0.5 else NAN
    economy = mean_of(
        [
            (0.4, 1.0 - rank(found, "unemployment", year)),
            (0.3, rank(found, "output", year)),
            (0.3, float(np.clip(1.0 - own["rise"] / 0.5, 0.0, 1.0))),
        ]
    )
    return valuation, economy, rank(found, "loans", year)


def next_state(state: str, score: float, valuation: float, economy: float, credit: float) -> str:
    """State after one year-end."""
    if np.isnan(score):
        return "indeterminate"
    stays = {"bubble": score >= 0.52 and valuation >= 0.60, "depression": score <= 0.44}
    if stays.get(state):
        return state
    if score >= 0.60 and valuation >= 0.70 and credit >= 0.40:
        return "bubble"
    return "depression" if score <= 0.40 and (economy <= 0.35 or credit <= 0.25) else "mid_cycle"


def label(state: str, rate_change: float) -> str:
    """Name of the regime."""
    moved = round(abs(rate_change), 9) >= 0.2
    stance = "neutral" if not moved else "stimulus" if rate_change < 0 else "tightening"
    return f"{stance}_{state}" if stance == "neutral" or state == "mid_cycle" else f"{stance}_into_{state}"


def country_years(data: pd.DataFrame) -> pd.DataFrame:
    """Every country-year with a score, a rate change and both outcomes."""
    out = []
    for iso, rows in data.sort_values("year").groupby("iso"):
        found, state, before, spell = figures(rows), "mid_cycle", "", 0
        for year in found:
            v, e, c = scores(found, year)
            score = (v + e + c) / 3.0
            state = next_state(state, score, v, e, c)
            name = state if state == "indeterminate" else label(state, float(found[year]["rate"]))
            if name != before:
                before, spell = name, spell + 1
            later = [year + n for n in (1, 2, 3)]
            if {year, *later} & WAR or later[-1] not in found:
                continue
            growth = float(np.prod([float(found[y]["real_growth"]) for y in later]))
            crisis = float(np.max([float(found[y]["crisis"]) for y in later]))
            if not np.isnan([score, growth, crisis, float(found[year]["rate"])]).any():
                out.append((iso, year, name, spell, score, 100.0 * (growth - 1.0), 100.0 * crisis))
    return pd.DataFrame(out, columns=["iso", "year", "regime", "spell", "score", "return", "crisis"])


def interval(cases: pd.DataFrame, regime: str, outcome: str) -> tuple[float, float]:
    """90 percent of the differences from all, over years drawn in blocks of three on average."""
    years = sorted(cases["year"].unique())
    of = dict(list(cases.groupby("year")))
    inside = {year: rows.loc[rows["regime"] == regime, outcome].to_numpy() for year, rows in of.items()}
    outside = {year: rows[outcome].to_numpy() for year, rows in of.items()}
    drawn = StationaryBootstrap(3, np.array(years), seed=20251105)
    differences = []
    for data, _ in drawn.bootstrap(1000):
        own = np.concatenate([inside[year] for year in data[0]])
        if len(own):
            differences.append(own.mean() - np.concatenate([outside[year] for year in data[0]]).mean())
    low, high = np.quantile(differences, [0.05, 0.95])
    return float(low), float(high)
