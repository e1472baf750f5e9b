"""Opening the warehouse: the file, the tables it has from its first opening, and the view `raw.observations`.

Every way into the warehouse goes through `open_warehouse`: DuckDB refuses to open one file in two ways in a process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import duckdb

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog
from assets.catalog.render import SCHEMAS, comment_statements, quoted
from assets.compute.archive import REAL_VINTAGES
from assets.warehouse.connection import Log, connect_patiently
from assets.warehouse.lock import RunLock
from assets.warehouse.writing import ensure_tables, transaction

KEPT_TABLES = (
    "vintages", "fetches", "provenance", "check_results", "publications", "published_rows", "regime_nightly",
    "live_rows", "row_corrections", "release_log",
)  # fmt: skip
_NO_LONGER_USED = ("ops.remembered",)  # cached results up to version 0.1.0
REAL = ", ".join(f"'{name}'" for name in REAL_VINTAGES)  # a list for SQL

# The rule of `resolve` in `assets/compute/archive.py` (methodology, "Point in time") in SQL; a test compares the two.
# listed: per key the row captured last, without retracted vintages. first_real: first real vintage of an observation
# that has rows dated by lag rule; most have none. One of rtdsm is later than the publication. Both windows are of a
# series: one of an observation takes twice as long, and a run resolves the whole archive three times.
LISTED = """
last_captured AS (
  SELECT * FROM {captures}
  WINDOW captures_of AS (PARTITION BY series_id ORDER BY observation_date, realtime_start, captured_at)
  QUALIFY lead(observation_date) OVER captures_of IS DISTINCT FROM observation_date
    OR lead(realtime_start) OVER captures_of IS DISTINCT FROM realtime_start
), listed AS (
  SELECT * FROM last_captured WHERE vintage_source <> 'retracted'
)"""
_RESOLVED = (
    "WITH"
    + LISTED
    + """, first_real AS (
  SELECT series_id, observation_date, min(realtime_start) AS of_observation,
    arg_min(vintage_source, realtime_start) AS source
  FROM listed SEMI JOIN (FROM listed WHERE vintage_source = 'lag_rule') USING (series_id, observation_date)
  WHERE vintage_source IN ({real}) GROUP BY series_id, observation_date
), first_of_series AS (
  SELECT series_id, min(realtime_start) AS of_series
  FROM listed WHERE vintage_source IN ({real}) GROUP BY series_id
), kept AS (
  SELECT l.* FROM listed AS l
  LEFT JOIN first_real AS f USING (series_id, observation_date) LEFT JOIN first_of_series AS s USING (series_id)
  WHERE l.vintage_source <> 'lag_rule' OR f.series_id IS NULL
    OR (f.of_observation = s.of_series AND l.realtime_start < s.of_series)
    OR (f.source = 'rtdsm' AND l.realtime_start < f.of_observation)
)
SELECT
  series_id, observation_date, value, realtime_start,
  CASE WHEN lead(observation_date) OVER vintages_of = observation_date
    THEN lead(realtime_start) OVER vintages_of - 1 ELSE DATE '9999-12-31' END AS realtime_end,
  vintage_source, captured_at
FROM kept WINDOW vintages_of AS (PARTITION BY series_id ORDER BY observation_date, realtime_start)
"""
)


def resolved(captures: str) -> str:
    """Query for the vintages in force among captures, a relation with the columns of `raw.vintages`.

    One row per series, observation and start, with `realtime_end`: the columns of the view `raw.observations`.
    """
    return _RESOLVED.format(captures=captures, real=REAL)


def create_schema(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Create what is missing, with comments, and drop tables only an earlier version used. Idempotent."""
    with transaction(con):
        for schema in SCHEMAS:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        ensure_tables(con, *(catalog.tables[name] for name in KEPT_TABLES))
        for name in _NO_LONGER_USED:
            con.execute(f"DROP TABLE IF EXISTS {name}")
        con.execute(f"CREATE OR REPLACE VIEW raw.observations AS {resolved('raw.vintages')}")
        for statement in comment_statements(catalog.tables["observations"], "raw.observations", is_view=True):
            con.execute(statement)


@contextmanager
def open_warehouse(
    path: Path,
    *,
    lock: RunLock | None = None,
    wait_seconds: float = 0.0,
    log: Log | None = None,
    catalog: Catalog | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse with its tables, for the length of a block; created when it does not exist.

    With the lock, a damaged file is replaced by its safety copy if there is one. After `wait_seconds` raises LockHeld
    or OpenElsewhere, naming who has it; any other fault is a WarehouseError.
    """
    until = time.monotonic() + wait_seconds
    with lock.held(wait_seconds, log) if lock is not None else nullcontext():
        connection = connect_patiently(path, lock is not None, until, log)
        try:
            create_schema(connection, catalog or load_catalog())
            yield connection
        finally:
            connection.close()
