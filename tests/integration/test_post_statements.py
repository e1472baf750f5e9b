"""`docs/post.md` gives for every statement of the post what the published file shows, or why it cannot."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.warehouse.connection import CONFIG
from docs._generate.post import NOT_MEASURED, PAGE, filled, rows
from tests.integration.conftest import Night

TEXT = PAGE.read_text(encoding="utf-8")
ROWS = rows(TEXT)
AGAINST = TEXT.partition("## Where the measurement differs from the post")[2]
SHORTEST_REASON = 40  # characters


@pytest.fixture(scope="module")
def release(_made_night: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(_made_night.staged), read_only=True, config=CONFIG) as con:
        yield con


def test_every_statement_is_there_in_order_and_one_that_is_not_measured_has_a_reason() -> None:
    numbers = [row.number for row in ROWS]
    assert list(dict.fromkeys(numbers)) == list(range(1, 51))
    unmeasured = [row for row in ROWS if row.measure is None]
    assert {row.number for row in unmeasured} <= {9, 33, 34, 49}
    for row in unmeasured:
        assert row.measured_by.startswith(NOT_MEASURED) and len(row.measured_by) > SHORTEST_REASON


def test_values_are_those_of_the_published_file(release: duckdb.DuckDBPyConnection) -> None:
    assert [row for row in ROWS if row != filled(row, release)] == [], "run: python -m docs._generate.post"


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
        "SELECT round(share_12m_pct) FROM monetisation WHERE as_of_date IN "
        "('2008-11-30', '2013-12-31', '2021-11-30', '2025-11-30') ORDER BY as_of_date",
    )
    assert shares == [-91, 59, 54, -18]


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
    assert "first held in April 2026; before, they did in early 2009" in AGAINST
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


def test_valuation_had_fallen_a_little_in_the_sample(release: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT valuation_score_change_6m FROM liquidity_destination WHERE as_of_date = '2025-11-30'"
    assert -0.05 < values(release, query)[0] < 0.0
    assert "valuation score itself had fallen a little over the six months to November 2025" in AGAINST
