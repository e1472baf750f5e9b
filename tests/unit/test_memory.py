"""Outcomes found again: only under the very same inputs, and only while the tables stand as they were."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.warehouse.connection import CONFIG
from assets.warehouse.memory import built, content, inputs_sha256, keep, recall, stand
from assets.warehouse.schema import create_schema

TABLE = load_catalog().tables["late_figures"]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config=CONFIG) as con:
        create_schema(con, load_catalog())
        con.execute("CREATE TABLE regime.late_figures (number DOUBLE, word VARCHAR)")
        con.execute("INSERT INTO regime.late_figures VALUES (1.5, 'a'), (NULL, 'b')")
        yield con


def test_an_outcome_of_other_inputs_is_not_found(con: duckdb.DuckDBPyConnection) -> None:
    keep(con, "judge regime", inputs_sha256("rows"), "held")
    assert recall(con, "judge regime", inputs_sha256("rows")) == "held"
    assert recall(con, "judge regime", inputs_sha256("other rows")) is None
    assert recall(con, "judge evidence", inputs_sha256("rows")) is None
    assert inputs_sha256("a", "b") != inputs_sha256("ab")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE regime.late_figures SET number = 1.5000000000000002 WHERE word = 'a'",
        "UPDATE regime.late_figures SET word = NULL WHERE word = 'b'",
        "INSERT INTO regime.late_figures VALUES (1.5, 'a')",
        "DELETE FROM regime.late_figures WHERE word = 'b'",
        "INSERT INTO derived.provenance BY NAME SELECT 'late_figures' AS table_name, 'c' AS column_name, "
        "DATE '2020-01-31' AS as_of_date, 'X' AS series_ids, true AS is_pseudo",
    ],
)
def test_a_table_somebody_wrote_to_does_not_stand(con: duckdb.DuckDBPyConnection, change: str) -> None:
    built(con, [TABLE], "inputs")
    assert stand(con, [TABLE], "inputs")
    assert not stand(con, [TABLE], "other inputs")
    con.execute(change)
    assert not stand(con, [TABLE], "inputs")


def test_order_of_rows_is_no_content_and_two_equal_rows_do_not_cancel(con: duckdb.DuckDBPyConnection) -> None:
    before = content(con, "regime.late_figures")
    con.execute("CREATE TABLE again AS SELECT * FROM regime.late_figures ORDER BY word DESC")
    assert content(con, "again") == before
    con.execute("INSERT INTO again SELECT 9.0, 'c' FROM range(2)")
    assert content(con, "again") != before
