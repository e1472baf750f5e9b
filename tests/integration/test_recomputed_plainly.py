"""The figures, ranks, scores and states of chosen dates, computed again in plain pandas from the methodology's text."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.helpers import SAMPLE_AS_OF, Computed, on_sample
from tests.plain_method import figures_on
from tests.validation_cases import POST

DATES = ("1999-12-31", "2008-11-30", "2012-09-30", "2020-05-31", "2021-11-30", POST, SAMPLE_AS_OF)
EXACT = 1e-9
RANKED_HIGH = ("equity_value_to_gdp", "equity_return_12m", "real_gdp_growth", "real_bank_credit")


def on(date: str) -> tuple[Computed, int]:
    """The run a date is read from, and its position."""
    computed = on_sample(POST) if date == POST else on_sample()
    return computed, list(computed.frame.index).index(pd.Timestamp(date))


@pytest.mark.parametrize("date", DATES)
def test_every_figure_is_what_the_methodology_says(date: str) -> None:
    computed, i = on(date)
    plain = figures_on(pd.Timestamp(date))
    found = {name: float(computed.readings[name].value[i]) for name in plain}
    assert len(plain) > 25
    assert found == pytest.approx(plain, abs=EXACT, nan_ok=True)


def plain_scores(date: str) -> dict[str, float]:
    """Score of every component: its rank among the month-ends up to the date and itself, or a fixed scale."""
    computed, i = on(date)
    scores = {}
    for condition in computed.regime.conditions.values():
        for component in condition.components:
            value = pd.Series(component.reading.value).round(6)
            history = (
                value[computed.grid.is_month_end | (np.arange(len(value)) == i)][: i + 1].loc[:i].dropna()
            )
            own = value[i]
            rank = (
                ((history < own).sum() + 0.5 * (history == own).sum()) / len(history) if len(history) else 0.0
            )
            rank = rank if len(history) >= 120 and not np.isnan(own) else np.nan
            scores[component.name] = rank if component.name in RANKED_HIGH else 1.0 - rank
    raw = {name: float(computed.readings[name].value[i]) for name in (
        "equity_risk_premium.equity_drawdown_pct", "activity_inflation.sahm_gap_pp",
        "activity_inflation.claims_change_pct", "activity_inflation.core_pce_yoy_pct",
    )}  # fmt: skip
    drawdown, sahm, claims, core = raw.values()
    scores["equity_drawdown"] = 1.0 + max(drawdown, -35.0) / 35.0
    scores["sahm_gap"] = min(max(1.0 - sahm / 0.5, 0.0), 1.0)
    scores["claims_change"] = min(max(1.0 - claims / 30.0, 0.0), 1.0)
    scores["core_pce_inflation"] = min(max((core - 1.0) / 2.0, 0.0), 1.0)
    return scores


def mean(scores: dict[str, float], *names: str) -> float:
    """Of those present."""
    there = [scores[name] for name in names if not np.isnan(scores[name])]
    return float(np.mean(there)) if there else np.nan


def weighted(*blocks: tuple[float, float]) -> float:
    """Weights renormalised over the blocks present."""
    there = [(weight, score) for weight, score in blocks if not np.isnan(score)]
    return sum(weight * score for weight, score in there) / sum(weight for weight, _ in there)


@pytest.mark.parametrize("date", DATES)
def test_every_score_is_what_the_methodology_says(date: str) -> None:
    computed, i = on(date)
    s = plain_scores(date)
    ranks = ("earnings_yield", "erp_vs_nominal_10y", "erp_vs_real_10y", "equity_value_to_gdp", "cape")
    spreads = ("excess_bond_premium", "gz_spread", "baa_10y_spread", "hy_oas", "hqm_10y_spread")
    plain = {
        "valuation": weighted(
            (0.65, mean(s, *ranks)), (0.175, s["equity_drawdown"]), (0.175, s["equity_return_12m"])
        ),
        "economy": weighted(
            (0.4, s["unemployment"]),
            (0.3, s["real_gdp_growth"]),
            (0.3, np.nanmin([s["sahm_gap"], s["claims_change"]])),
        ),
        "credit": weighted((0.5, mean(s, *spreads)), (0.25, s["nfci"]), (0.25, s["real_bank_credit"])),
        "inflation": s["core_pce_inflation"],
    }
    found = {name: float(condition.score[i]) for name, condition in computed.regime.conditions.items()}
    assert found == pytest.approx(plain, abs=EXACT)
    assert computed.frame["bubble_score"].iloc[i] == pytest.approx(
        (plain["valuation"] + plain["economy"] + plain["credit"]) / 3.0, abs=EXACT
    )
    evidence = computed.evidence[computed.evidence["as_of_date"] == date].set_index("component")
    assert evidence["score"].to_dict() == pytest.approx(s, abs=EXACT, nan_ok=True)


def test_every_state_is_what_the_methodology_says() -> None:
    frame = on_sample().frame
    sahm, claims = (
        on_sample().readings[f"activity_inflation.{name}"].value
        for name in ("sahm_gap_pp", "claims_change_pct")
    )
    state, hot_before, cold_before, plain = "mid_cycle", False, False, []
    for i, row in enumerate(frame.itertuples()):
        if np.isnan(row.bubble_score):
            state, hot_before, cold_before = "indeterminate", False, False
            plain.append(state)
            continue
        hot = row.bubble_score >= 0.60 and row.valuation_score >= 0.70 and row.credit_score >= 0.40
        cold = row.bubble_score <= 0.40 and (row.economy_score <= 0.35 or row.credit_score <= 0.25)
        left_bubble = state == "bubble" and (row.bubble_score < 0.52 or row.valuation_score < 0.60)
        if state == "indeterminate" or left_bubble or (state == "depression" and row.bubble_score > 0.44):
            state = "mid_cycle"
        if state == "mid_cycle" and hot and hot_before:
            state = "bubble"
        elif state == "mid_cycle" and cold and (cold_before or sahm[i] >= 0.5 or claims[i] >= 30.0):
            state = "depression"
        hot_before, cold_before = hot, cold
        plain.append(state)
    assert list(frame["condition_state"]) == plain
