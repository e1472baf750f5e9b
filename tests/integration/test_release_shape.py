"""The published file without its rows, kept from an earlier night, is what its statements make today."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.render import comment_statements, create_table, quoted
from assets.warehouse.connection import CONFIG, open_warehouse
from assets.warehouse.release import build_release, published_tables, release_facts
from assets.warehouse.release_shape import STAGE, STORAGE_VERSION, attached
from assets.warehouse.release_views import view_statements
from tests.integration.conftest import STARTED_AT, Night

# All that a file says of its tables, views and macros, but for numbers DuckDB gives them.
SHAPE = (
    "SELECT * EXCLUDE (database_name, database_oid, schema_oid, table_oid, estimated_size) FROM duckdb_tables()",
    "SELECT * EXCLUDE (database_name, database_oid, schema_oid, table_oid) FROM duckdb_columns() WHERE NOT internal",
    "SELECT * EXCLUDE (database_name, database_oid, schema_oid, view_oid) FROM duckdb_views() WHERE NOT internal",
    "SELECT * EXCLUDE (database_name, database_oid, function_oid) FROM duckdb_functions() WHERE NOT internal",
)


def test_the_shape_kept_from_an_earlier_night_is_what_its_statements_make(night: Night) -> None:
    catalog = load_catalog()
    with open_warehouse(night.warehouse) as con:
        build_release(con, night.staged, catalog, release_facts(con, night.facts, STARTED_AT))
        (kept,) = con.execute(
            "SELECT count(*) FROM ops.remembered WHERE work = 'release without rows'"
        ).fetchall()
    assert kept == (1,)
    plain_file = night.staged.with_name("plain.duckdb")
    with duckdb.connect(config=CONFIG) as plain:
        plain.execute(f"ATTACH '{plain_file}' AS plain (STORAGE_VERSION '{STORAGE_VERSION}'); USE plain")
        for table in published_tables(catalog):
            plain.execute(create_table(table, quoted(table.name), with_key=False))
            plain.execute("; ".join(comment_statements(table, quoted(table.name))))
        plain.execute("; ".join(view_statements(catalog, night.facts.profile)))
    found = []
    for file in (night.staged, plain_file):
        with duckdb.connect(str(file), read_only=True, config=CONFIG) as con:
            found.append([con.execute(asked).fetchall() for asked in SHAPE])
    assert found[0] == found[1]


def test_another_wording_is_not_given_the_shape_kept_before(night: Night) -> None:
    catalog = load_catalog()
    retitled = catalog.tables["caveats"].model_copy(update={"title": "Said in other words."})
    changed = replace(catalog, tables={**catalog.tables, "caveats": retitled})
    with open_warehouse(night.warehouse) as con:
        build_release(con, night.staged, changed, release_facts(con, night.facts, STARTED_AT))
    with duckdb.connect(str(night.staged), read_only=True, config=CONFIG) as release:
        (said,) = release.execute(
            "SELECT comment FROM duckdb_tables() WHERE table_name = 'caveats'"
        ).fetchall()
    assert said[0].startswith("Said in other words.")


def test_a_file_that_cannot_be_written_out_is_an_error_and_not_a_release(night: Night) -> None:
    night.staged.unlink()
    with open_warehouse(night.warehouse) as con, con.cursor() as cursor, con.cursor() as other:
        with pytest.raises(duckdb.Error, match="CHECKPOINT"), attached(cursor, night.staged):
            other.execute(f"BEGIN; CREATE TABLE {STAGE}.main.half_written (number INTEGER)")
        other.execute("ROLLBACK")
