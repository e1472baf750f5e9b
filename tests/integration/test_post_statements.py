"""`docs/post.md` says of every statement of the post what the published file says, or why it cannot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.warehouse.connection import CONFIG
from docs._generate.post import NOT_MEASURED, PAGE, Row, filled, rows
from tests.integration.conftest import Night

STATEMENTS = 50
ROWS = rows(PAGE.read_text(encoding="utf-8"))
SHORTEST_REASON = 40  # characters


@pytest.fixture(scope="module")
def release(_made_night: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(_made_night.staged), read_only=True, config=CONFIG) as con:
        yield con


def test_every_statement_is_there_in_order() -> None:
    numbers = [row.number for row in ROWS]
    assert sorted(set(numbers)) == list(range(1, STATEMENTS + 1))
    assert numbers == sorted(numbers)


def test_what_is_not_measured_says_why() -> None:
    unmeasured = [row for row in ROWS if row.measure is None]
    assert {row.number for row in unmeasured} <= {9, 33, 34, 49}
    for row in unmeasured:
        assert row.measured_by.startswith(NOT_MEASURED) and len(row.measured_by) > SHORTEST_REASON


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number}: {row.measured_by}"[:60])
def test_values_are_those_of_the_published_file(row: Row, release: duckdb.DuckDBPyConnection) -> None:
    assert row == filled(row, release)


def test_what_is_absent_in_the_sample_is_measured_in_the_live_profile() -> None:
    """A measure that neither profile has would be no measure."""
    catalog = load_catalog()
    live = {series.series_id for series in catalog.in_profile("live")}
    for row in ROWS:
        if row.measure is None or "not in profile" not in row.now:
            continue
        table, column, *_ = row.measure
        assert _series(table, column) & live, row.line


def _series(table: str, column: str) -> set[str]:
    found: set[str] = set()
    for origin in load_catalog().tables[table].column(column).derived_from:
        found |= _series(*origin.split(".")) if "." in origin else {origin}
    return found


# ---- figures that must come out, whatever the page says


def one(con: duckdb.DuckDBPyConnection, query: str, *parameters: object) -> float:
    ((value,),) = con.execute(query, list(parameters)).fetchall()
    return float(value)


@pytest.mark.parametrize(
    ("as_of", "share"), [("2008-11-30", -91), ("2013-12-31", 59), ("2021-11-30", 54), ("2025-11-30", -18)]
)
def test_who_bought_the_debt(release: duckdb.DuckDBPyConnection, as_of: str, share: float) -> None:
    query = "SELECT monetisation_share_pct FROM monetisation WHERE as_of_date = ?"
    assert round(one(release, query, dt.date.fromisoformat(as_of))) == share


def test_the_posts_premium_is_the_forward_yield_less_the_nominal_one(
    release: duckdb.DuckDBPyConnection,
) -> None:
    cited = dict(release.execute("SELECT id, value FROM reference_values").fetchall())
    earnings = 100 * cited["forward_eps_usd"] / cited["sp500_close_index"]
    assert round(earnings, 2) == cited["forward_earnings_yield_pct"] == 4.41
    assert round(earnings - cited["nominal_10y_pct"], 2) == cited["forward_equity_risk_premium_pp"] == 0.31
    assert (
        one(release, "SELECT nominal_10y_pct FROM qe_phases WHERE phase = 'post'") == cited["nominal_10y_pct"]
    )
    assert one(release, "SELECT real_10y_pct FROM qe_phases WHERE phase = 'post'") == cited["real_10y_pct"]


def test_gold_must_gain_the_nominal_yield_on_every_date(release: duckdb.DuckDBPyConnection) -> None:
    apart = one(
        release,
        "SELECT max(abs(a.price_change_to_match_10y_pp - r.nominal_10y_pct)) "
        "FROM relative_attractiveness AS a JOIN real_yields AS r USING (as_of_date) WHERE a.asset = 'gold'",
    )
    assert apart == 0.0


def test_inflation_of_five_percent_takes_five_points_on_every_date(
    release: duckdb.DuckDBPyConnection,
) -> None:
    apart = one(
        release,
        "SELECT max(abs(a.real_return_at_5pct_inflation_pct - (r.nominal_10y_pct - 5))) "
        "FROM relative_attractiveness AS a JOIN real_yields AS r USING (as_of_date) WHERE a.asset = 'treasury_10y'",
    )
    assert apart < 1e-9


# ---- what the page says against the post


def against(text: str) -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## What the measurement says against the post")[2]
    assert text in section, text


def texts(con: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [str(value) for (value,) in con.execute(query).fetchall()]


def test_the_three_parts_together_held_when_the_page_says(release: duckdb.DuckDBPyConnection) -> None:
    months = texts(
        release,
        "SELECT strftime(as_of_date, '%Y-%m') FROM monetisation WHERE is_coordinated "
        "AND as_of_date >= '2003-01-01' ORDER BY as_of_date",
    )
    assert months[:4] == ["2009-01", "2009-02", "2009-03", "2009-04"]
    assert (months[4], months[14], len(months)) == ("2019-10", "2020-08", 17)
    against(
        "In this easing the three parts together (7) first held in April 2026; before, they did in early 2009"
    )
    against("from October 2019 to August 2020")
    assert months[15:] == ["2026-04", "2026-05"]


def test_purchases_met_what_the_page_says(release: duckdb.DuckDBPyConnection) -> None:
    columns = [f"{c}_verdict" for c in ("valuation", "economy", "inflation", "credit")]
    met = {
        phase: verdicts
        for phase, *verdicts in release.execute(
            f"SELECT phase, {', '.join(columns)}, inflation_verdict_after FROM qe_phases WHERE phase LIKE 'qe_'"
        ).fetchall()
    }
    assert met["qe1"] == ["cold", "cold", "hot", "cold", "cold"]
    assert met["qe2"][:4] == met["qe3"][:4] == ["cold", "between", "cold", "between"]
    against(
        '"At least three of four cold" (38 to 41) is QE1. QE2 and QE3 met cold valuations and cold inflation'
    )
    against(
        "QE1 met inflation at target on the day it was announced, and cold inflation three month-ends later"
    )


def test_valuation_had_fallen_a_little_in_the_sample(release: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT valuation_score_change_6m FROM liquidity_destination WHERE as_of_date = ?"
    assert -0.05 < one(release, query, dt.date(2025, 11, 30)) < 0.0
    against("the valuation score itself had fallen a little over the six months to November 2025")


def test_over_the_real_yield_the_posts_premium_is_what_the_page_says(
    release: duckdb.DuckDBPyConnection,
) -> None:
    cited = dict(release.execute("SELECT id, value FROM reference_values").fetchall())
    real = one(release, "SELECT real_10y_pct FROM qe_phases WHERE phase = 'post'")
    against(
        f"Against the real yield it is {cited['forward_earnings_yield_pct'] - real:.1f} percentage points"
    )
