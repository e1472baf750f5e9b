"""Dates whose label is common knowledge, and figures known on the day of the post: real figures, both profiles."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from assets.report.record import CASES, POST
from docs._generate.validation import KNOWN
from tests.helpers import REAL_AS_OF, SAMPLE_AS_OF, Computed, on_real_series, on_sample


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
