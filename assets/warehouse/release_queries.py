"""Which rows of the warehouse a release holds, and what it says of itself.

Belongs here: the queries that give the published rows, and the facts they depend on. Does not belong here:
writing (`release.py`), views and macros (`release_views.py`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb

from assets.catalog.models import Catalog, Profile, Table
from assets.catalog.render import literal, qualified_name
from assets.warehouse.live import live_rows, overlay_query
from assets.warehouse.moments import in_a_name

# A month-end that was published keeps its first publication; every other row is published by this release.
_REGIME = """
SELECT r.* REPLACE (coalesce(p.first_published_at, {moment}) AS first_published_at)
FROM ({overlaid}) AS r
LEFT JOIN ops.published_rows AS p
  ON r.is_month_end AND p.as_of_date = r.as_of_date
  AND p.profile = r.profile AND p.method_version = r.method_version
"""
_METHOD_CHANGES = """
SELECT p.method_version AS method_version_before, p.as_of_date, p.regime AS regime_before, r.regime AS regime_now,
  r.method_version AS method_version_now, p.release_id AS release_before
FROM ops.published_rows AS p
JOIN {stage}.main.regime AS r ON r.as_of_date = p.as_of_date AND r.profile = p.profile
WHERE p.method_version <> r.method_version AND p.regime <> r.regime
"""
_NIGHTLY_TONIGHT = """
SELECT {moment} AS published_at, * FROM {stage}.main.regime
WHERE as_of_date = (SELECT max(as_of_date) FROM {stage}.main.regime)
"""
_NIGHTLY_BEFORE = "SELECT * FROM {name} WHERE published_at < {moment} UNION ALL BY NAME "
# Known on the as-of date: a value whose successor became known later still stands then.
_OBSERVATIONS = """
SELECT * REPLACE (
  CASE WHEN realtime_end >= {as_of} THEN DATE '9999-12-31' ELSE realtime_end END AS realtime_end
)
FROM raw.observations
WHERE realtime_start <= {as_of} AND series_id IN ({ids})
"""
_SERIES = """
SELECT declared.*,
  coalesce(held.rows_published, 0) AS rows_published, held.rows_published IS NOT NULL AS is_published,
  held.first_observation, held.last_observation, held.last_realtime_start, held.pit_source,
  CASE declared.frequency
    WHEN 'M' THEN last_day(held.last_observation)
    WHEN 'Q' THEN last_day(CAST(date_trunc('quarter', held.last_observation) + INTERVAL 2 MONTH AS DATE))
    ELSE held.last_observation
  END AS last_period_end,
  fetched.status AS fetch_status, fetched.fetched_at
FROM {declared} AS declared
LEFT JOIN (
  SELECT series_id, count(*) AS rows_published, min(observation_date) AS first_observation,
    max(observation_date) FILTER (WHERE value IS NOT NULL AND realtime_end = DATE '9999-12-31')
      AS last_observation,
    max(realtime_start) AS last_realtime_start,
    string_agg(DISTINCT vintage_source, ', ' ORDER BY vintage_source) AS pit_source
  FROM {stage}.main.observations GROUP BY series_id
) AS held USING (series_id)
LEFT JOIN (
  SELECT series_id, arg_max(status, fetched_at) AS status, max(fetched_at) AS fetched_at
  FROM raw.fetches GROUP BY series_id
) AS fetched USING (series_id)
"""


@dataclass(frozen=True)
class ReleaseFacts:
    """What the manifest says of a release. `published_at` is UTC without an offset.

    `publishes_restricted`: raw figures of restricted series are published too. `captured_until` (UTC without an offset)
    is the newest capture it rests on, `is_complete` whether all series with a role in the label are held.
    """

    profile: Profile
    as_of: dt.date
    run_id: str
    published_at: dt.datetime
    code_version: str
    lock_sha256: str | None
    publishes_restricted: bool = False
    captured_until: dt.datetime | None = None
    is_complete: bool = False

    @property
    def release_id(self) -> str:
        """Identifier of the release, fit for the name of a folder: its UTC moment."""
        return in_a_name(self.published_at)


def source_query(
    con: duckdb.DuckDBPyConnection, table: Table, catalog: Catalog, facts: ReleaseFacts, stage: str
) -> str:
    """Query giving the published rows of a table of the warehouse; `stage` is the database being written."""
    live = live_rows(con, facts.profile, catalog.method.method_version, facts.as_of, facts.release_id)
    moment = f"TIMESTAMP {literal(facts.published_at.isoformat(sep=' '))}"
    match table.name:
        case "regime":
            return _REGIME.format(moment=moment, overlaid=overlay_query(con, table, catalog, live))
        case "regime_nightly":
            before = _NIGHTLY_BEFORE.format(name=qualified_name(table), moment=moment)
            tonight = _NIGHTLY_TONIGHT.format(moment=moment, stage=stage)
            return before + tonight if _exists(con, table) else tonight
        case "observations":
            return _OBSERVATIONS.format(as_of=f"DATE '{facts.as_of}'", ids=_shown(catalog, facts))
        case "method_changes":
            return _METHOD_CHANGES.format(stage=stage)
        case "check_results":
            return f"SELECT * FROM ops.check_results WHERE run_id = {literal(facts.run_id)}"
        case _:
            return overlay_query(con, table, catalog, live)


def _shown(catalog: Catalog, facts: ReleaseFacts) -> str:
    """Ids of the series whose raw figures are published, as a list for SQL: restricted ones only on request."""
    return ", ".join(
        literal(series.series_id)
        for series in catalog.series.values()
        if series.rights != "restricted" or facts.publishes_restricted
    )


def series_query(stage: str, declared: str) -> str:
    """Query giving `series`: the relation `declared`, and what staged file and fetches say of each series."""
    return _SERIES.format(stage=stage, declared=declared)


def _exists(con: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Whether the warehouse has the table; the nightly record starts with the first publication."""
    found = con.execute(
        "SELECT count(*) FROM duckdb_tables() "
        "WHERE database_name = current_database() AND schema_name = ? AND table_name = ?",
        [table.layer, table.name],
    ).fetchall()
    return bool(found[0][0])
