"""What stands in a warehouse from its first opening: the archive, its view and the run's own books.

Belongs here: creating them, again and again without effect. Does not belong here: derived and regime tables,
which their own builds replace (`tables.py`), and the wording, which is the catalogue's.
"""

from __future__ import annotations

import duckdb

from assets.catalog.models import Catalog
from assets.catalog.render import SCHEMAS, comment_statements, quoted
from assets.warehouse.tables import ensure_tables, transaction

KEPT_TABLES = ("vintages", "fetches", "provenance", "check_results", "publications", "published_rows")
_NO_LONGER_USED = ("ops.remembered",)  # kept cached results up to version 0.1.0

# Within one (series, observation, start) the row captured last stands, until the day before the next start.
_OBSERVATIONS = """
CREATE OR REPLACE VIEW raw.observations AS
SELECT
  series_id, observation_date, value, realtime_start,
  coalesce(
    lead(realtime_start) OVER (PARTITION BY series_id, observation_date ORDER BY realtime_start) - 1,
    DATE '9999-12-31'
  ) AS realtime_end,
  vintage_source, captured_at
FROM (
  SELECT * FROM raw.vintages
  QUALIFY row_number() OVER (
    PARTITION BY series_id, observation_date, realtime_start ORDER BY captured_at DESC
  ) = 1
) AS standing
"""


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
