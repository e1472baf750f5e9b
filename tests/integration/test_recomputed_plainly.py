"""Every figure, rank, score, state and label, computed again in plain pandas from the methodology's text; known dates.

Chosen dates in every run of the tests; every row of the sample in the slow ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assets.report.record import CASES, POST
from docs._generate.validation import KNOWN
from tests import plain_long
from tests.helpers import REAL_AS_OF, SAMPLE_AS_OF, Computed, on_real_series, on_sample
from tests.plain_method import directions, figures_on, label, policy_level, price_basis, states

DATES = (
    "1994-06-30",  # no rank yet: conditions below the minimum of their coverage
    "1997-07-31",  # low of the HQM spread
    "1999-12-31",
    "2008-10-31",  # its high
    "2008-11-30",
    "2008-12-31",  # the range of the policy rate at one end, the single target at the other
    "2012-09-30",
    "2020-05-31",
    "2021-11-30",
    POST,
    "2026-05-31",  # the share price index is the newest price
    SAMPLE_AS_OF,  # the market value is
)
BASIS_COLUMNS = {
    "sp_composite": "sp_composite",
    "oecd_shares": "oecd_shares",
    "z1_market_value_usd_bn": "z1_market_value",
}
EXACT = 1e-9
RANKED_HIGH = ("equity_value_to_gdp", "equity_return_12m", "real_gdp_growth", "real_bank_credit")


CHOSEN_AND_EVERY = [*DATES, pytest.param("every", marks=pytest.mark.slow)]


def dates_of(name: str) -> list[str]:
    """One date, or every date of the newest run."""
    return [f"{day:%Y-%m-%d}" for day in on_sample().frame.index] if name == "every" else [name]


def on(date: str) -> tuple[Computed, int]:
    """The run a date is read from, and its position."""
    computed = on_sample(POST) if date == POST else on_sample()
    return computed, list(computed.frame.index).index(pd.Timestamp(date))


@pytest.mark.parametrize("dates", CHOSEN_AND_EVERY)
def test_every_figure_is_as_in_the_methodology(dates: str) -> None:
    for date in dates_of(dates):
        computed, i = on(date)
        plain = figures_on(pd.Timestamp(date))
        found = {name: float(computed.readings[name].value[i]) for name in plain}
        assert len(plain) > 35
        assert found == pytest.approx(plain, abs=EXACT, nan_ok=True), date


def test_every_label_and_the_level_of_policy_on_every_row_are_as_in_the_methodology() -> None:
    """The label under each reading of the balance sheet, from the ledger's file; the states are tested below."""
    frame, readings = on_sample().frame, on_sample().readings
    names = (
        "policy_rate_change_6m_pp",
        "balance_sheet_impulse_pct_gdp",
        "core_pce_yoy_pct",
        "output_gap_pct",
    )
    tables = ("real_yields", "reserve_growth", "activity_inflation", "activity_inflation")
    figures = [readings[f"{table}.{name}"].value for table, name in zip(tables, names, strict=True)]
    for (day, row), rate, impulse, core, gap in zip(frame.iterrows(), *figures, strict=True):
        for column, balance_sheet in directions(day, impulse).items():
            assert row[column] == label(row["condition_state"], balance_sheet, rate), (day, column)
        for column, plain in policy_level(day, core, gap).items():
            assert row[column] == pytest.approx(plain, abs=EXACT, nan_ok=True), (day, column)


def plain_scores(date: str) -> dict[str, float]:
    """Score of every component: its rank among the month-ends up to the date and itself, or a fixed scale."""
    computed, i = on(date)
    scores = {}
    for condition in computed.regime.conditions.values():
        for component in condition.components:
            value = pd.Series(component.reading.value).round(6)
            if component.name == "equity_return_12m":
                basis = computed.frame["equity_price_basis"].iloc[i]
                column = f"equity_risk_premium.equity_return_12m_{BASIS_COLUMNS[basis]}_pct"
                value = pd.Series(computed.readings[column].value).round(6)
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


def weighted(*blocks: tuple[float, float], coverage: float | None = None) -> float:
    """Weights renormalised over the blocks present; absent where they cover less than half."""
    there = [(weight, score) for weight, score in blocks if not np.isnan(score)]
    total = sum(weight for weight, _ in there)
    if round(total if coverage is None else coverage, 6) < 0.5:
        return np.nan
    return sum(weight * score for weight, score in there) / total


@pytest.mark.parametrize("dates", CHOSEN_AND_EVERY)
def test_every_score_is_as_in_the_methodology(dates: str) -> None:
    for date in dates_of(dates):
        compare_scores(date)


def compare_scores(date: str) -> None:
    computed, i = on(date)
    s = plain_scores(date)
    ranks = ("earnings_yield", "erp_vs_nominal_10y", "erp_vs_real_10y", "equity_value_to_gdp", "cape")
    spreads = ("excess_bond_premium", "gz_spread", "baa_10y_spread", "hy_oas", "hqm_10y_spread")
    past = (s["equity_drawdown"], s["equity_return_12m"])
    present = 0.13 * sum(not np.isnan(s[rank]) for rank in ranks) + 0.175 * (2 - np.isnan(past).sum())
    sahm_and_claims = [s[name] for name in ("sahm_gap", "claims_change") if not np.isnan(s[name])]
    plain = {
        "valuation": weighted(
            (0.65, mean(s, *ranks)), (0.175, past[0]), (0.175, past[1]), coverage=float(present)
        ),
        "economy": weighted(
            (0.4, s["unemployment"]),
            (0.3, s["real_gdp_growth"]),
            (0.3, min(sahm_and_claims, default=np.nan)),
        ),
        "credit": weighted((0.5, mean(s, *spreads)), (0.25, s["nfci"]), (0.25, s["real_bank_credit"])),
        "inflation": s["core_pce_inflation"],
    }
    found = {name: float(condition.score[i]) for name, condition in computed.regime.conditions.items()}
    assert found == pytest.approx(plain, abs=EXACT, nan_ok=True), date
    assert computed.frame["valuation_coverage"].iloc[i] == pytest.approx(float(present), abs=EXACT), date
    assert computed.frame["bubble_score"].iloc[i] == pytest.approx(
        (plain["valuation"] + plain["economy"] + plain["credit"]) / 3.0, abs=EXACT, nan_ok=True
    )
    evidence = computed.evidence[computed.evidence["as_of_date"] == date].set_index("component")
    assert evidence["score"].to_dict() == pytest.approx(s, abs=EXACT, nan_ok=True), date


def test_every_state_is_as_in_the_methodology() -> None:
    frame = on_sample().frame
    sahm, claims = (
        on_sample().readings[f"activity_inflation.{name}"].value
        for name in ("sahm_gap_pp", "claims_change_pct")
    )
    scores = (frame[f"{name}_score"] for name in ("bubble", "valuation", "economy", "credit"))
    plain = states(zip(*scores, sahm, claims, strict=True))
    assert list(frame["condition_state"]) == plain


def test_the_price_of_every_month_is_on_the_basis_whose_period_ends_last() -> None:
    named = on_sample().frame["equity_price_basis"]
    plain = [price_basis(day) for day in named.index]
    assert list(named) == plain
    assert {"oecd_shares", "z1_market_value_usd_bn"} <= set(plain)


# Shiller's sheet never stored; ended in 2012, long before the closes begin; ended in 2020 and continued with closes.
SHEETS = ("1800-01-01", "2012-06-01", "2020-06-01")
RANKS = {"earnings_yield": 0, "erp_vs_nominal_10y": 1, "erp_vs_real_10y": 2, "equity_return_12m": 3}


@pytest.mark.parametrize("until", SHEETS)
def test_every_equity_figure_is_on_the_basis_its_date_can_have_and_ranks_inside_it(
    realdata: Path, until: str
) -> None:
    computed = on_real_series(realdata, shiller_until=until)
    with plain_long.on_sheet_until(realdata, until):
        compare_equity(computed)


def compare_equity(computed: Computed) -> None:
    table = computed.tables[plain_long.TABLE].frame.set_index("as_of_date")
    plain = pd.DataFrame({day: plain_long.figures_of_bases(day) for day in table.index}).T
    evidence = computed.evidence.set_index(["component", "as_of_date"])
    chosen = [day for day in table.index if day.month == 7 or day.year in (1996, 2012, 2013, 2021)]
    compared = 0
    for day in chosen:
        earnings, price = plain_long.bases_on(day)
        named = computed.frame.loc[day, ["earnings_yield_basis", "equity_price_basis"]]
        assert tuple(named) == (earnings, price), day
        if price is not None:
            assert table.loc[day, "equity_drawdown_pct"] == pytest.approx(
                plain_long.drawdown(day), abs=EXACT, nan_ok=True
            ), day
        for component, n in RANKS.items():
            column = plain_long.RANKED[n]
            basis = price if component == "equity_return_12m" else earnings
            figure = plain.loc[day, f"{column} {basis}"]
            assert table.loc[day, column] == pytest.approx(figure, abs=EXACT, nan_ok=True), (day, column)
            found = evidence.loc[(component, day), "rank"]
            of_basis = plain.loc[:day, f"{column} {basis}"]
            assert found == pytest.approx(plain_long.rank_among(of_basis, figure), abs=EXACT, nan_ok=True), (
                day,
                column,
            )
            compared += not np.isnan(found)
    assert compared > 150


def test_without_the_sheet_every_month_has_a_label_at_lower_coverage(realdata: Path) -> None:
    """Only CAPE is missing: one of five ranks of 0.65. Months agree with those of the sheet in nine of ten."""
    without = on_real_series(realdata, shiller_until=SHEETS[0]).frame["1994-12-31":]
    with_it = on_real_series(realdata).frame.loc[without.index]
    assert (without["regime"] != "indeterminate").all()
    assert set(without["valuation_coverage"]) == {0.87}
    assert set(without["earnings_yield_basis"]) == {"nipa"}
    assert 0.85 < (without["regime"] == with_it["regime"]).mean() < 0.97
    assert not without["basis_changed"].any(), "one basis throughout"


@pytest.mark.parametrize("until", SHEETS[1:])
def test_a_sheet_that_ends_changes_no_row_before_its_figures_are_stale(realdata: Path, until: str) -> None:
    with_it, ended = on_real_series(realdata), on_real_series(realdata, shiller_until=until)
    last = pd.Timestamp(until) + pd.offsets.MonthEnd(0)
    pd.testing.assert_frame_equal(ended.frame[:last], with_it.frame[:last])
    after = ended.frame[last:]
    assert (after["regime"] != "indeterminate").all()
    changed = after["earnings_yield_basis"].ne(after["earnings_yield_basis"].shift()).iloc[1:]
    assert changed.sum() == 1, "from reported earnings to the national accounts, once"
    price = after.loc[:"2026-03-31", "equity_price_basis"]  # the closes stored end in April 2026
    assert set(price) == ({"sp_composite"} if until > "2016" else {"sp_composite", "z1_market_value_usd_bn"})


def test_a_label_that_changes_with_its_basis_is_flagged_and_no_other(realdata: Path) -> None:
    changes_of_basis = 0
    for until in SHEETS[1:]:
        frame = on_real_series(realdata, shiller_until=until).frame
        another = pd.Series(False, frame.index)
        for name in ("earnings_yield_basis", "equity_price_basis"):
            before = frame[name].shift()
            another |= frame[name].notna() & before.notna() & (frame[name] != before)
        expected = another & (frame["regime"] != frame["regime"].shift())
        assert (frame["basis_changed"] == expected).all()
        changes_of_basis += int(another.sum())
    assert changes_of_basis > 2


# ---- dates whose label is common knowledge, and figures known on the day of the post, on both profiles


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


def test_september_2012_was_no_bubble_and_march_2022_no_stimulus(newest: pd.DataFrame) -> None:
    assert newest.loc["2012-09-30", "condition_state"] != "bubble"
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
