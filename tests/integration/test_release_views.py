"""The views of the published file answer the questions they are named for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from assets.warehouse.connection import CONFIG
from tests.integration.conftest import Night

BEFORE = "TIMESTAMP '2026-09-29 01:00:00'"


@pytest.fixture(scope="module")
def release(made_release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        yield con


def test_current_evidence_is_that_of_the_newest_row(release: duckdb.DuckDBPyConnection) -> None:
    rows = release.execute("SELECT * FROM evidence_current").fetchall()
    same = release.execute("SELECT * FROM regime_evidence WHERE as_of_date = DATE '2026-09-30'").fetchall()
    assert rows and sorted(map(str, rows)) == sorted(map(str, same))


def test_four_by_four_is_the_table_of_phases_turned(release: duckdb.DuckDBPyConnection) -> None:
    rows = release.execute(
        "SELECT f.condition, f.score, p.valuation_score, f.verdict_after, p.valuation_verdict_after "
        "FROM four_by_four AS f JOIN qe_phases AS p USING (as_of_date, phase) WHERE f.condition = 'valuation'"
    ).fetchall()
    assert len(rows) >= 5
    assert [row[1:4:2] for row in rows] == [row[2:5:2] for row in rows]
    per_phase = release.execute("SELECT count(*) FROM four_by_four GROUP BY as_of_date, phase").fetchall()
    assert set(per_phase) == {(4,)}


def test_what_changed_since_the_month_end_before(release: duckdb.DuckDBPyConnection) -> None:
    found = release.execute(
        "SELECT item, before_as_of_date, value_before, value_now FROM what_changed "
        "WHERE compared_with = 'month_end_before' AND item = 'bubble_score'"
    ).fetchall()
    scores = release.execute(
        "SELECT bubble_score FROM regime WHERE as_of_date >= DATE '2026-08-31' ORDER BY as_of_date"
    ).fetchall()
    assert found == [("bubble_score", dt.date(2026, 8, 31), scores[0][0], scores[1][0])]
    of_valuation = "condition = 'valuation' AND as_of_date ="
    differ = release.execute(
        f"""
        SELECT 'valuation.' || now.component FROM (FROM regime_evidence WHERE {of_valuation} DATE '2026-09-30') AS now
        JOIN (FROM regime_evidence WHERE {of_valuation} DATE '2026-08-31') AS was USING (component)
        WHERE was.value IS DISTINCT FROM now.value
        """
    ).fetchall()
    shown = release.execute("SELECT item FROM what_changed WHERE item LIKE 'valuation.%'").fetchall()
    assert differ and sorted(shown) == sorted(differ)


def test_what_changed_since_the_publication_before(night: Night) -> None:
    of_last = "SELECT * FROM what_changed WHERE compared_with = 'publication_before'"
    with night.open_staged() as release:
        assert release.execute(of_last).fetchall() == []  # a first publication has nothing before it
        release.execute(
            f"INSERT INTO regime_nightly SELECT * REPLACE ({BEFORE} AS published_at, "
            "DATE '2026-09-28' AS as_of_date, 'neutral_into_bubble' AS regime) FROM regime_nightly"
        )
        assert release.execute(of_last).fetchall() == [
            (
                "publication_before", "regime", dt.date(2026, 9, 28), dt.date(2026, 9, 30), "text",
                "neutral_into_bubble", "neutral_bubble", None, None,
            )
        ]  # fmt: skip
