"""What the warehouse's DDL refuses needs no rule; the published file, which others open, has an audit of the same."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.render import create_table, insert_by_name, quoted
from checks.audits.of_release import schema_found, schema_suite
from checks.runner import run_suite
from checks.suites.structural import checked_tables
from tests.checked_frames import clean_frames

CATALOG = load_catalog()


@pytest.fixture
def staged() -> Iterator[duckdb.DuckDBPyConnection]:
    """The checked tables as in a published file: declared types, no keys."""
    with duckdb.connect() as con:
        for name in checked_tables(CATALOG):
            con.execute(create_table(CATALOG.tables[name], quoted(name), with_key=False))
            con.register("clean", clean_frames()[name])
            con.execute(insert_by_name(CATALOG.tables[name], "clean", quoted(name)))
        yield con


def broken(staged: duckdb.DuckDBPyConnection) -> dict[str, str]:
    result = run_suite(schema_found(staged, CATALOG), schema_suite())
    assert all(found.evaluated_rows > 20 for found in result.results)
    return {found.rule.name: found.message for found in result.failed}


CHANGES = (
    ("INSERT INTO real_yields SELECT * FROM real_yields LIMIT 1", "key__unique", "real_yields"),
    ("ALTER TABLE real_yields ALTER is_month_end DROP NOT NULL; UPDATE real_yields SET is_month_end = NULL",
     "column__not_null", "is_month_end"),
    ("ALTER TABLE regime ALTER bubble_score TYPE VARCHAR", "column__as_declared", "bubble_score"),
    ("ALTER TABLE regime DROP bubble_score", "column__as_declared", "regime"),
    ("DROP TABLE caveats", "column__as_declared", "caveats"),
    ("CREATE TABLE scratch AS SELECT 1 AS x", "column__as_declared", "scratch"),
)  # fmt: skip


def test_the_audit_of_the_file_names_what_no_constraint_refuses(staged: duckdb.DuckDBPyConnection) -> None:
    for change, rule, named in CHANGES:
        assert broken(staged) == {}
        staged.execute(f"BEGIN; {change}")
        found = broken(staged)
        assert set(found) == {rule} and named in found[rule], change
        staged.execute("ROLLBACK")
