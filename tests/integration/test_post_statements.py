"""`docs/post.md` gives for every statement of the post what the published file shows, or why it cannot.

The page has the values of two releases: one as of the day of the post, one of the sample's last day.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.warehouse.connection import CONFIG
from assets.warehouse.schema import open_warehouse
from docs._generate.post import NOT_ANNOUNCED, NOT_MEASURED, PAGE, POST_DAY, filled, rewritten, rows, run_date
from tests.integration.conftest import STARTED_AT
from tests.integration.sample_night import SAMPLE_END, fill, night_facts, stage
from tests.made_once import made_once

TEXT = PAGE.read_text(encoding="utf-8")
ROWS = rows(TEXT)
AGAINST = TEXT.partition("## Where the measurement differs from the post")[2]
SHORTEST_REASON = 40  # characters


def _make_post_day(place: Path) -> None:
    facts = night_facts(place, POST_DAY, STARTED_AT, is_historical=True)
    facts.published_path.parent.mkdir()
    with open_warehouse(place / "sample.warehouse.duckdb") as con:
        fill(con, facts)
        stage(con, facts, place / "staged.duckdb")


@pytest.fixture(scope="module")
def post_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A release as of the day of the post."""
    staged = made_once(tmp_path_factory, "post_day", _make_post_day) / "staged.duckdb"
    with duckdb.connect(str(staged), read_only=True, config=CONFIG) as con:
        yield con


def test_every_statement_is_there_in_order_and_one_that_is_not_measured_has_a_reason() -> None:
    numbers = [row.number for row in ROWS]
    assert list(dict.fromkeys(numbers)) == list(range(1, 51))
    unmeasured = [row for row in ROWS if row.measure is None]
    assert {row.number for row in unmeasured} <= {33, 34, 49}
    for row in unmeasured:
        assert row.measured_by.startswith(NOT_MEASURED) and len(row.measured_by) > SHORTEST_REASON


def test_values_are_those_of_the_two_releases(
    post_day: duckdb.DuckDBPyConnection, release: duckdb.DuckDBPyConnection
) -> None:
    assert (run_date(post_day), run_date(release)) == (POST_DAY, SAMPLE_END)
    assert [row for row in ROWS if row != filled(row, post_day, release)] == [], (
        "run: python -m docs._generate.post"
    )
    assert rewritten(TEXT, post_day, release) == TEXT, "the heading has the days of the releases"


def test_purchases_announced_later_have_no_value_on_the_day_of_the_post() -> None:
    later = [row for row in ROWS if row.then == NOT_ANNOUNCED]
    assert {row.number for row in later} == {2, 30}
    assert all("reserves_2025" in row.measured_by and row.now != NOT_ANNOUNCED for row in later)


def test_what_the_sample_lacks_is_measured_in_the_live_profile() -> None:
    """A measure that neither profile has would be no measure."""
    catalog = load_catalog()
    live = {series.series_id for series in catalog.in_profile("live")}

    def series(table: str, column: str) -> set[str]:
        origins = catalog.tables[table].column(column).derived_from
        return {s for o in origins for s in (series(*o.split(".")) if "." in o else {o})}

    for row in ROWS:
        if row.measure is not None and "not in profile" in row.now:
            assert series(*row.measure[:2]) & live, row.line


# ---- figures that must come out, independently of the page


def values(con: duckdb.DuckDBPyConnection, query: str) -> list[float]:
    return [value for (value,) in con.execute(query).fetchall()]


def test_the_fed_bought_the_debt_when_it_did(release: duckdb.DuckDBPyConnection) -> None:
    shares = values(
        release,
        "SELECT round(share_12m_of_deficit_pct) FROM monetisation WHERE as_of_date IN "
        "('2008-11-30', '2013-12-31', '2021-11-30', '2025-11-30') ORDER BY as_of_date",
    )
    assert shares == [-55, 84, 37, -9]


def test_the_posts_premium_is_the_forward_yield_less_the_nominal_one(
    release: duckdb.DuckDBPyConnection,
) -> None:
    cited = dict(release.execute("SELECT id, value FROM reference_values").fetchall())
    earnings = 100 * cited["forward_eps_usd"] / cited["sp500_close_index"]
    assert round(earnings, 2) == cited["forward_earnings_yield_pct"] == 4.41
    assert round(earnings - cited["nominal_10y_pct"], 2) == cited["forward_equity_risk_premium_pp"] == 0.31
    ours = release.execute(
        "SELECT nominal_10y_pct, real_10y_pct FROM qe_phases WHERE phase = 'post'"
    ).fetchall()
    assert ours == [(cited["nominal_10y_pct"], cited["real_10y_pct"])]
    assert f"Against the real yield it is {earnings - ours[0][1]:.1f} percentage points" in AGAINST


def test_gold_must_gain_the_nominal_yield_and_inflation_takes_its_points_on_every_date(
    release: duckdb.DuckDBPyConnection,
) -> None:
    apart = release.execute(
        "SELECT max(abs(a.price_change_to_match_10y_pp - r.nominal_10y_pct)) FILTER (a.asset = 'gold'), "
        "max(abs(a.real_return_at_5pct_inflation_pct - r.nominal_10y_pct + 5)) FILTER (a.asset = 'treasury_10y') "
        "FROM relative_attractiveness AS a JOIN real_yields AS r USING (as_of_date)"
    ).fetchall()[0]
    assert apart == pytest.approx((0, 0), abs=1e-9)


# ---- where the page differs from the post


def test_the_three_parts_together_held_on_the_dates_of_the_page(release: duckdb.DuckDBPyConnection) -> None:
    months = values(
        release,
        "SELECT strftime(as_of_date, '%Y-%m') FROM monetisation WHERE is_coordinated "
        "AND as_of_date >= '2003-01-01' ORDER BY as_of_date",
    )
    assert months[:4] == ["2009-01", "2009-02", "2009-03", "2009-04"]
    assert (months[4], months[14], months[15:]) == ("2019-10", "2020-08", ["2026-04", "2026-05"])
    assert "held in April and May 2026, not since; before, they did in early 2009" in AGAINST
    assert "from October 2019 to August 2020" in AGAINST


def test_purchases_met_the_conditions_on_the_page(release: duckdb.DuckDBPyConnection) -> None:
    columns = [f"{c}_verdict" for c in ("valuation", "economy", "inflation", "credit")]
    met = {
        phase: verdicts
        for phase, *verdicts in release.execute(
            f"SELECT phase, {', '.join(columns)}, inflation_verdict_after FROM qe_phases WHERE phase LIKE 'qe_'"
        ).fetchall()
    }
    assert met["qe1"] == ["cold", "cold", "hot", "cold", "cold"]
    assert met["qe2"][:4] == met["qe3"][:4] == ["cold", "between", "cold", "between"]
    assert "QE2 and QE3 met cold valuations and cold inflation" in AGAINST
    assert "inflation at target on the day it was announced, and cold inflation three month-ends" in AGAINST


def test_gold_did_not_follow_prices_and_rose_more(release: duckdb.DuckDBPyConnection) -> None:
    found = release.execute(
        "SELECT gold_cpi_correlation_1y, gold_cpi_correlation_10y, gold_over_cpi_multiple, separate_10y_windows "
        "FROM gold_and_inflation ORDER BY as_of_date DESC LIMIT 1"
    ).fetchall()[0]
    assert f"about {abs(round(found[0], 1)):.1f} over one year and {found[1]:.1f} over ten" in AGAINST
    assert 4 < found[2] < 5 and "more than four times as much as consumer prices" in AGAINST
    assert found[3] == 4 and "only four ten-year windows share no month" in AGAINST


def test_real_yields_fell_after_the_starts_on_the_page(release: duckdb.DuckDBPyConnection) -> None:
    three = "FROM event_study WHERE horizon_months = 3 AND measure"
    real = release.execute(f"SELECT phase, change, change_rank {three} = 'real_10y' ORDER BY 1").fetchall()
    assert {phase for phase, change, _ in real if change > 0} == {"qe2", "reserves_2025"} and len(real) == 6
    assert {phase for phase, _, rank in real if rank <= 0.1} == {"qe1"}
    assert "fell after four of six starts and rose after QE2 and December 2025" in AGAINST
    assert "only after QE1 the fall was among the largest tenth" in AGAINST
    multiple = release.execute(f"SELECT phase, change {three} = 'earnings_multiple'").fetchall()
    assert {phase for phase, change in multiple if change < 0} == {"qe1", "qe4_2020"} and len(multiple) == 6
    assert "Multiples fell after QE1 and March 2020" in AGAINST
