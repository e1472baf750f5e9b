"""What stands in a warehouse from its first opening: the archive, its view and the run's own books.

Belongs here: creating them, again and again without effect. Does not belong here: derived and regime tables,
which their own builds replace (`tables.py`), and the wording, which is the catalogue's.
"""

from __future__ import annotations

import duckdb

from assets.catalog.models import Catalog
from assets.catalog.render import SCHEMAS, comment_statements, quoted
from assets.warehouse.resolved import resolved
from assets.warehouse.tables import ensure_tables, transaction

KEPT_TABLES = (
    "vintages", "fetches", "provenance", "check_results", "publications", "published_rows", "live_rows",
    "row_corrections",
)  # fmt: skip
_NO_LONGER_USED = ("ops.remembered",)  # kept cached results up to version 0.1.0

_OBSERVATIONS = f"CREATE OR REPLACE VIEW raw.observations AS {resolved('raw.vintages')}"


def create_schema(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Create what is missing: schemas, kept tables with comments, the view `raw.observations`. Idempotent.

    Tables that an earlier version kept and nothing reads any more are dropped.
    """
    with transaction(con):
        for schema in SCHEMAS:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        ensure_tables(con, [catalog.tables[name] for name in KEPT_TABLES])
        for name in _NO_LONGER_USED:
            con.execute(f"DROP TABLE IF EXISTS {name}")
        con.execute(_OBSERVATIONS)
        for statement in comment_statements(catalog.tables["observations"], "raw.observations", is_view=True):
            con.execute(statement)
