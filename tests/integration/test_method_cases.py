"""Dates whose label is common knowledge, and figures known on the day of the post: real figures, both profiles."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from assets.report.record import CASES, POST
from docs._generate.validation import KNOWN
from tests.helpers import REAL_AS_OF, SAMPLE_AS_OF, Computed, on_real_series, on_sample

# Spells of an independent calculation on the sample's figures, first and last month.
SPELLS = {
    "stimulus_into_bubble": ["1998-09..1999-04", "2021-06..2021-12", "2025-10..2026-08"],
    "neutral_bubble": ["2026-09..2026-09"],
    "tightening_into_bubble": [
        "1997-03..1997-08", "1999-06..2000-10", "2022-03..2022-05", "2024-03..2024-08", "2025-06..2025-08",
    ],
    "stimulus_into_depression": [
        "2001-10..2002-05", "2002-11..2003-04", "2008-02..2010-02", "2010-11..2011-05", "2020-05..2020-10",
    ],
}  # fmt: skip
# Months so near a threshold that the label or the state differs between two correct sets of figures: never asserted.
FRAGILE = [
    "1996-03..1996-06", "2001-01..2001-02", "2001-09..2001-09", "2003-06..2003-09", "2012-09..2013-05",
    "2018-01..2018-12", "2020-01..2020-03", "2022-06..2022-08", "2024-02..2024-02",
]  # fmt: skip


def months(spans: list[str]) -> set[str]:
    """Every month of some spans, each `first..last`."""
    spanned = [pd.period_range(*span.split(".."), freq="M") for span in spans]
    return {str(month) for span in spanned for month in span}


@pytest.fixture(scope="module", params=["sample", "full"])
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def computed(profile: str, run_date: str, request: pytest.FixtureRequest) -> Computed:
    if profile == "sample":
        return on_sample(run_date)
    folder: Path = request.getfixturevalue("realdata")
    return on_real_series(folder, run_date)


@pytest.fixture(scope="module")
def newest(profile: str, request: pytest.FixtureRequest) -> pd.DataFrame:
    return computed(profile, SAMPLE_AS_OF, request).frame


@pytest.fixture(scope="module")
def on_the_post(profile: str, request: pytest.FixtureRequest) -> Computed:
    return computed(profile, POST, request)


@pytest.mark.parametrize(("first", "last", "column", "expected"), CASES)
def test_dates_the_method_must_not_get_wrong(
    newest: pd.DataFrame, profile: str, first: str, last: str, column: str, expected: str
) -> None:
    if profile == "full":  # its figures end four months before the sample's
        last = min(last, REAL_AS_OF)
        if first > last:
            pytest.skip("after the last of the longer series")
    rows = newest.loc[first:last, column]
    assert list(rows) == [expected] * len(rows)
    assert len(rows) == len(pd.date_range(first, last, freq="ME"))


@pytest.mark.parametrize(
    "regime", ["stimulus_into_bubble", "tightening_into_bubble", "stimulus_into_depression"]
)
def test_spells_of_the_sample_are_those_of_an_independent_calculation(regime: str) -> None:
    named = on_sample().frame["regime"]
    found = {f"{day:%Y-%m}" for day in named.index[named == regime]}
    assert found - months(FRAGILE) == months(SPELLS[regime])


def test_policy_is_no_longer_stimulus_on_the_last_day_of_the_sample() -> None:
    named = on_sample().frame["regime"]
    assert {f"{named.index[-1]:%Y-%m}"} == months(SPELLS["neutral_bubble"])
    assert named.iloc[-1] == "neutral_bubble"


def test_no_label_or_state_of_a_fragile_month_is_asserted() -> None:
    cases = [f"{first[:7]}..{last[:7]}" for first, last, column, _ in CASES if column != "stance"]
    for spans in (cases, *SPELLS.values()):
        assert months(spans) & months(FRAGILE) == set()


@pytest.mark.parametrize(
    ("date", "valuation", "economy", "credit", "score"),
    [("2026-05-31", 0.88, 0.68, 0.68, 0.75), ("2026-09-30", 0.91, 0.73, 0.71, 0.78)],
)
def test_scores_are_those_of_an_independent_calculation(
    date: str, valuation: float, economy: float, credit: float, score: float
) -> None:
    row = on_sample().frame.loc[date]
    found = row[["valuation_score", "economy_score", "credit_score", "bubble_score"]].astype(float)
    assert list(found) == pytest.approx([valuation, economy, credit, score], abs=0.01)
    limits = on_sample().catalog.method.verdict
    assert row["valuation_score"] >= limits.valuation_hot and row["economy_score"] >= limits.economy_hot
    assert row["credit_score"] >= limits.credit_hot
    core = on_sample().tables["activity_inflation"].frame.set_index("as_of_date").loc[date]
    assert core["core_pce_yoy_pct"] >= limits.inflation_target_pct, "four of four hot"
    assert core["core_pce_yoy_change_6m_pp"] > -limits.inflation_fall_pp


def test_coverage_falls_when_bank_credit_is_stale() -> None:
    frame = on_sample().frame
    assert frame.loc["2026-05-31", "credit_coverage"] == 1.0
    assert frame.loc["2026-09-30", "coverage"] == frame.loc["2026-09-30", "credit_coverage"] == 0.75


def test_qe3_was_not_poured_into_a_bubble(newest: pd.DataFrame) -> None:
    assert newest.loc["2012-09-30", "condition_state"] != "bubble"


def test_march_2022_was_no_stimulus(newest: pd.DataFrame) -> None:
    assert newest.loc["2022-03-31", "stance"] != "stimulus"


def test_the_day_of_the_post_is_stimulus_into_a_bubble(on_the_post: Computed) -> None:
    row = on_the_post.frame.iloc[-1]
    assert (str(on_the_post.frame.index[-1].date()), row["is_month_end"]) == (POST, False)
    assert row["regime"] == "stimulus_into_bubble"


@pytest.mark.parametrize(("table", "column", "expected", "tolerance"), KNOWN)
def test_the_figures_a_reader_of_the_post_knew_that_day(
    on_the_post: Computed, table: str, column: str, expected: float, tolerance: float
) -> None:
    assert on_the_post.tables[table].frame[column].iloc[-1] == pytest.approx(expected, abs=tolerance)


def test_profits_and_equity_value_known_that_day_were_those_of_the_second_quarter(
    on_the_post: Computed,
) -> None:
    for column in ("earnings_yield_nipa_pct", "equity_value_pct_gdp"):
        reading = on_the_post.readings[f"equity_risk_premium.{column}"]
        if reading.present[-1]:
            assert str(reading.observation_date[-1]) == "2025-04-01", column
    assert on_the_post.readings["equity_risk_premium.equity_value_pct_gdp"].present[-1]


def test_august_was_the_newest_unemployment_rate_on_the_day_of_the_post(on_the_post: Computed) -> None:
    reading = on_the_post.readings["activity_inflation.unemployment_rate_pct"]
    assert str(reading.observation_date[-1]) == "2025-08-01"


def test_a_run_on_the_day_of_the_post_and_a_later_one_agree_on_the_past(
    on_the_post: Computed, newest: pd.DataFrame
) -> None:
    past = on_the_post.frame.iloc[:-1].drop(
        columns="row_kind"
    )  # the newest month-end was provisional that day
    pd.testing.assert_frame_equal(past, newest.loc[past.index, past.columns])
