"""The rule once a year in many countries (Jorda, Schularick and Taylor), and what followed each label.

It is the code of the monthly rule on other readings: STANDS_FOR has what they stand for, `differences` what else
differs. Figures are those of the data set, not of the time: only the ranks look at the past alone.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from assets.catalog.method import ForwardReturns, Method
from assets.catalog.models import Catalog
from assets.compute.conditions import Readings
from assets.compute.diagnostics.returns import drawn, spells_of
from assets.compute.grid import Grid
from assets.compute.reading import ON_BASES, Floats, Reading, absent, texts
from assets.compute.regime import Regime, build_regime

COLUMNS = (  # of the data set that are read
    "year", "country", "iso", "pop", "rgdpmad", "cpi", "stir", "ltrate", "unemp", "tloans", "crisisJST",
    "eq_tr", "eq_capgain", "eq_dp",
)  # fmt: skip
CASE = "stimulus_into_bubble"
ALL = "all"
OUTCOMES = ("real_return_pct", "crisis_pct")  # of a country-year: over the years after it; 100 for a crisis
_MEANS = {"real_return_pct": "mean_real_return_pct", "crisis_pct": "crisis_share_pct"}
# what is read in place of each figure of the monthly rule; every other figure of it is absent
STANDS_FOR: Mapping[str, str] = {
    "equity_risk_premium.earnings_yield_pct": "dividend_yield_pct",
    "equity_risk_premium.erp_vs_nominal_10y_pp": "dividend_yield_less_long_rate_pp",
    "equity_risk_premium.erp_vs_real_10y_pp": "dividend_yield_less_real_long_rate_pp",
    "equity_risk_premium.equity_drawdown_pct": "drawdown_pct",
    "equity_risk_premium.equity_return_12m_pct": "price_change_pct",
    "activity_inflation.unemployment_rate_pct": "unemployment_pct",
    "activity_inflation.sahm_gap_pp": "unemployment_change_pp",
    "activity_inflation.real_gdp_yoy_pct": "real_gdp_change_pct",
    "reserve_growth.real_bank_credit_yoy_pct": "real_loans_change_pct",
    "real_yields.policy_rate_change_6m_pp": "short_rate_change_pp",
}


def differences(method: Method) -> list[str]:
    """What differs from the monthly rule, one sentence each."""
    p, stance = method.panel, method.stance
    wars = " and ".join(f"{first}-{last}" for first, last in p.war_years)
    return [
        "Figures are those of the data set, revised and by calendar year; only the ranks use the past alone.",
        f"Ranks need {p.minimum_history_years} years of the same country (monthly rule: "
        f"{method.percentile.minimum_history} months); a state needs one year-end and not "
        f"{method.state.confirmation_months} month-ends.",
        "Valuation: the dividend yield stands for the earnings yield; the real long rate is the long rate less the "
        f"mean inflation of {p.inflation_years} years; no CAPE, no equity value over GDP.",
        f"Economy: the change of unemployment on the year before stands for the Sahm gap; no jobless claims. Without "
        f"unemployment the economy has no score, because {method.economy.weight_growth:g} of its weight is "
        f"less than {method.coverage.minimum:g}.",
        "Credit: the rank of real loan growth alone; the data set has no corporate spread and no index of "
        "financial conditions.",
        f"Easing: a short rate {stance.rate_change_pp:g} points or more below the year before (monthly rule: over "
        f"{stance.rate_window_months} months); no balance sheet and no announcements.",
        f"The years {wars} have no label, ranks do not count them, and no outcome reaches into them; a change on the "
        "year before may start in one.",
        f"Outcomes are of the {p.horizon_years} years after the label's own; a banking crisis of that year itself does "
        "not count.",
    ]


def country_years(data: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """One row per country and year: the figures, scores, label and spell, and what followed where it is measured.

    `data`: COLUMNS of the data set, every country with consecutive years.
    """
    rules = annual(catalog)
    parts = [_of_country(rows, rules) for _, rows in data.sort_values(["iso", "year"]).groupby("iso")]
    return pd.concat(parts, ignore_index=True)


def annual(catalog: Catalog) -> Catalog:
    """The catalogue with the method by the year, and without announcements."""
    method = catalog.method
    by_year = method.model_copy(
        update={
            "percentile": method.percentile.model_copy(
                update={"minimum_history": method.panel.minimum_history_years}
            ),
            "state": method.state.model_copy(update={"confirmation_months": 1}),
            "credit": method.credit.model_copy(
                update={"weight_spreads": 0.0, "weight_nfci": 0.0, "weight_bank_credit": 1.0}  # all there is
            ),
        }
    )
    no_events = catalog.policy_events.model_copy(update={"events": ()})
    return replace(catalog, method=by_year, policy_events=no_events)


def _of_country(rows: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    rules, rows = catalog.method.panel, rows.reset_index(drop=True)
    war = _in_war(rows["year"], catalog.method)
    figures = _figures(rows, catalog.method).mask(war)
    year_end = np.array([f"{year}-12-31" for year in rows["year"]], dtype="datetime64[D]")
    regime = build_regime(_readings(figures), Grid(year_end), catalog)
    spell = np.full(len(rows), np.nan)
    for number, one in enumerate(spells_of(regime.label)):
        spell[one.first : one.last + 1] = number
    return pd.concat(
        [
            rows[["iso", "country", "year"]],
            figures,
            _labels(regime),
            pd.DataFrame({"spell": spell}),
            _outcomes(rows, war, rules.horizon_years),
        ],
        axis=1,
    )


def _in_war(years: pd.Series, method: Method) -> pd.Series:
    return pd.concat([years.between(*war) for war in method.panel.war_years], axis=1).any(axis=1)


def _change_pct(values: pd.Series) -> pd.Series:
    return 100.0 * values.pct_change(fill_method=None)


def _figures(rows: pd.DataFrame, method: Method) -> pd.DataFrame:
    """What stands for the figures of the monthly rule, per year; changes on the year before."""
    inflation, dividend = _change_pct(rows["cpi"]), 100.0 * rows["eq_dp"]
    expected = inflation.rolling(method.panel.inflation_years).mean()
    price = _chained(rows["eq_capgain"])
    return pd.DataFrame(
        {
            "dividend_yield_pct": dividend,
            "dividend_yield_less_long_rate_pp": dividend - rows["ltrate"],
            "dividend_yield_less_real_long_rate_pp": dividend - (rows["ltrate"] - expected),
            "drawdown_pct": 100.0
            * (price / price.groupby(rows["eq_capgain"].isna().cumsum()).cummax() - 1.0),
            "price_change_pct": 100.0 * rows["eq_capgain"],
            "unemployment_pct": rows["unemp"],
            "unemployment_change_pp": rows["unemp"].diff(),
            "real_gdp_change_pct": _change_pct(rows["rgdpmad"] * rows["pop"]),
            "real_loans_change_pct": _change_pct(rows["tloans"]) - inflation,
            "short_rate_change_pp": rows["stir"].diff(),
        }
    )


def _chained(change: pd.Series) -> pd.Series:
    """Price index from yearly changes; it starts again after a year without one, and so does its high."""
    return (1.0 + change).groupby(change.isna().cumsum()).cumprod()


def _readings(figures: pd.DataFrame) -> Readings:
    readings: defaultdict[str, Reading]
    readings = defaultdict(lambda: absent(len(figures), "none", "not_in_data_set"))
    readings |= {column: _reading(figures[name].to_numpy()) for column, name in STANDS_FOR.items()}
    return readings | {bases[0]: readings[column] for column, bases in ON_BASES.items()}  # one basis


def _reading(value: Floats) -> Reading:
    missing = np.isnan(value)
    return replace(
        absent(len(value), "JST", ""), value=value, absent_reason=texts(missing, "not_in_data_set")
    )


def _labels(regime: Regime) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "regime": regime.label,
            "condition_state": regime.states.state,
            "stance": regime.stance.stance,
            "bubble_score": regime.bubble_score,
            **{f"{name}_score": regime.conditions[name].score for name in ("valuation", "economy", "credit")},
        }
    )


def _outcomes(rows: pd.DataFrame, war: pd.Series, horizon: int) -> pd.DataFrame:
    """Real total equity return, percent, and 100 for a banking crisis or 0, over the years after each one.

    NaN where a year of the horizon is missing, or it or the year itself is in a war.
    """
    growth = (1.0 + rows["eq_tr"]) / (1.0 + rows["cpi"].pct_change(fill_method=None))
    crisis = rows["crisisJST"].mask(war)
    following = range(1, horizon + 1)
    later_growth = pd.concat([growth.mask(war).shift(-n) for n in following], axis=1)
    later_crisis = pd.concat([crisis.shift(-n) for n in following], axis=1)
    return pd.DataFrame(
        {
            "real_return_pct": 100.0 * (later_growth.prod(axis=1, skipna=False).mask(war) - 1.0),
            "crisis_pct": 100.0 * later_crisis.max(axis=1, skipna=False).mask(war),
        }
    )


def measured(cases: pd.DataFrame) -> pd.DataFrame:
    """The country-years that have a score, a short rate a year before, and both outcomes."""
    known = cases[["bubble_score", "short_rate_change_pp", *OUTCOMES]].notna().all(axis=1)
    return cases[known]


def by_label(cases: pd.DataFrame, method: Method) -> pd.DataFrame:
    """One row per label, the case of the post first and all country-years last: counts, outcomes, difference from all.

    `returned_at_least_the_mean_of_all` and `without_crisis` are the misses of the claim that a fed bubble ends badly.
    The interval of a difference, in percentage points, is from years drawn in blocks, each with all its countries: NaN
    for fewer episodes than `forward_returns.minimum_closed_spells`.
    """
    found = measured(cases)
    labels = [CASE, *sorted(set(found["regime"]) - {CASE})]
    intervals = _intervals(found, labels, method)
    rows = [
        _row(label, found[found["regime"] == label], found, intervals[label], method.forward_returns)
        for label in labels
    ]
    return pd.DataFrame([*rows, _row(ALL, found, found, {}, method.forward_returns)])


def _row(
    label: str, inside: pd.DataFrame, all_: pd.DataFrame, interval: Mapping[str, Any], rules: ForwardReturns
) -> dict[str, Any]:
    episodes = len(inside[["iso", "spell"]].drop_duplicates())
    enough = label != ALL and episodes >= rules.minimum_closed_spells
    row = {
        "regime": label,
        "country_years": len(inside),
        "episodes": episodes,
        "countries": inside["iso"].nunique(),
        "first_year": inside["year"].min(),
        "last_year": inside["year"].max(),
        "returned_at_least_the_mean_of_all": int((inside[OUTCOMES[0]] >= all_[OUTCOMES[0]].mean()).sum()),
        "without_crisis": int((inside[OUTCOMES[1]] == 0.0).sum()),
        "median_real_return_pct": inside[OUTCOMES[0]].median(),
    }
    for name in OUTCOMES:
        low, high = interval[name] if enough else (np.nan, np.nan)
        row |= {
            _MEANS[name]: inside[name].mean(),
            f"{_MEANS[name]}_less_all": np.nan if label == ALL else inside[name].mean() - all_[name].mean(),
            f"{_MEANS[name]}_less_all_low": low,
            f"{_MEANS[name]}_less_all_high": high,
        }
    return row


def _intervals(found: pd.DataFrame, labels: list[str], method: Method) -> dict[str, dict[str, Any]]:
    """Interval of label less all, for each outcome, over resampled years."""
    rules, years = method.forward_returns, np.sort(found["year"].unique())
    if not len(years):
        return {label: {} for label in labels}
    positions = drawn(len(years), method.panel.horizon_years, rules)
    tail = (1.0 - rules.interval_level) / 2.0

    def means(rows: pd.DataFrame, name: str) -> Floats:
        by_year = rows.groupby("year")[name].agg(["sum", "count"]).reindex(years, fill_value=0.0)
        total, count = (by_year[part].to_numpy(dtype="float64")[positions].sum(axis=1) for part in by_year)
        with np.errstate(invalid="ignore"):
            return np.asarray(total / count)

    def interval(label: str, name: str) -> Iterator[float]:
        difference = means(found[found["regime"] == label], name) - means(found, name)
        yield from np.nanquantile(difference, [tail, 1.0 - tail])

    return {label: {name: tuple(interval(label, name)) for name in OUTCOMES} for label in labels}
