"""DDL, comments, data dictionary and Dagster schema say what the catalogue says, and nothing else."""

from __future__ import annotations

import duckdb
import pytest

from assets.asset_specs import table_schema
from assets.catalog.loader import load_catalog
from assets.catalog.models import Table
from assets.catalog.render import (
    column_comment,
    comment_statements,
    create_table,
    qualified_name,
    table_comment,
)

TABLES = list(load_catalog().tables.values())


def a_table(**changes: object) -> Table:
    column = {
        "name": "share_pct", "type": "DOUBLE", "unit": "percent", "nullable": True, "minimum": 0.0,
        "maximum": 100.0, "definition": "A share; it's 'quoted' | piped.", "derived_from": ["GDP", "CP"],
    }  # fmt: skip
    key = {
        "name": "as_of_date", "type": "DATE", "unit": "date", "nullable": False, "derived_from": [],
        "definition": "The row's as-of date.",
    }  # fmt: skip
    declared = {
        "name": "shares", "layer": "derived", "group": "figures",
        "title": "Shares as known.", "grain": "One row per date",
        "key": ["as_of_date"], "column": [key, column],
    }  # fmt: skip
    return Table.model_validate(declared | changes)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_declared_table_can_be_created_with_all_its_comments(table: Table) -> None:
    with duckdb.connect() as con:
        con.execute(f'CREATE SCHEMA IF NOT EXISTS "{qualified_name(table).split(chr(34))[1]}"')
        con.execute(create_table(table))
        for statement in comment_statements(table):
            con.execute(statement)
        made = con.execute(
            "SELECT column_name, data_type, is_nullable, comment FROM duckdb_columns() "
            "WHERE table_name = ? AND NOT internal ORDER BY column_index",
            [table.name],
        ).fetchall()
        comment = con.execute("SELECT comment FROM duckdb_tables()").fetchall()
    assert made == [(c.name, c.type, c.nullable, column_comment(c)) for c in table.columns]
    assert comment == [(table_comment(table),)]


def test_dagster_schema_carries_unit_and_origin_as_tags() -> None:
    key, share = table_schema(a_table()).columns
    assert key.constraints.unique and not key.constraints.nullable and share.constraints.nullable
    assert share.tags == {"unit": "percent", "from": "GDP, CP"}
    assert share.constraints.other == [">= 0", "<= 100"]
    assert key.tags == {"unit": "date"}
