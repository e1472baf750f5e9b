"""What is judged, read from the warehouse: a table with those beside it, the archive as one row per series.

Belongs here: reading and counting. Does not belong here: rules, judging.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from assets.catalog.models import Catalog, Series
from assets.warehouse.readers import read_table
from assets.warehouse.tables import registered
from checks.audits.leak import PROVENANCE
from checks.suites.raw import TYPES
from checks.suites.rules import Suite

if TYPE_CHECKING:
    import duckdb

_DECLARED = "declared_series"
# One pass over the archive; what is wrong with a row is counted per series, so that nothing else leaves the database.
_SUMMARY = f"""
WITH held AS (
  SELECT
    o.series_id,
    count(*) AS rows_held,
    count(*) - count(DISTINCT (o.observation_date, o.realtime_start)) AS keys_repeated,
    min(o.value) AS value_min,
    max(o.value) AS value_max,
    count(*) FILTER (o.realtime_start <= $run_date AND o.observation_date > $run_date) AS rows_after_run,
    count(*) FILTER (o.observation_date > CAST(o.captured_at AS DATE)) AS rows_after_capture,
    count(*) FILTER (o.vintage_source = 'lag_rule' AND o.realtime_start < o.observation_date)
      AS rows_before_observation
  FROM raw.observations AS o
  SEMI JOIN {_DECLARED} USING (series_id)
  GROUP BY o.series_id
), last_fetch AS (
  SELECT series_id, status, message, unit, unit_kind, frequency FROM raw.fetches
  QUALIFY row_number() OVER (PARTITION BY series_id ORDER BY fetched_at DESC, fetch_id DESC) = 1
)
SELECT
  d.series_id,
  coalesce(h.rows_held, 0) AS rows_held,
  coalesce(h.keys_repeated, 0) AS keys_repeated,
  h.value_min, h.value_max, d.plausible_min, d.plausible_max,
  coalesce(h.rows_after_run, 0) AS rows_after_run,
  coalesce(h.rows_after_capture, 0) AS rows_after_capture,
  coalesce(h.rows_before_observation, 0) AS rows_before_observation,
  f.status AS fetch_status, f.message AS fetch_message,
  f.unit AS unit_stated, f.unit_kind AS unit_kind_stated, d.unit_kind,
  f.frequency AS frequency_stated, d.frequency
FROM {_DECLARED} AS d
LEFT JOIN held AS h USING (series_id)
LEFT JOIN last_fetch AS f USING (series_id)
ORDER BY d.position
"""
_OFFENDING = """
SELECT series_id, observation_date, realtime_start, value, vintage_source
FROM raw.observations
WHERE series_id = $series_id AND (
  value NOT BETWEEN $plausible_min AND $plausible_max
  OR (realtime_start <= $run_date AND observation_date > $run_date)
  OR observation_date > CAST(captured_at AS DATE)
  OR (vintage_source = 'lag_rule' AND realtime_start < observation_date)
)
ORDER BY observation_date DESC, realtime_start DESC
LIMIT $most
"""


def load_table(
    con: duckdb.DuckDBPyConnection, suite: Suite, catalog: Catalog
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """The suite's table and the tables its rules read beside it. Raises LookupError for one that is not there."""
    layers = {name: catalog.tables[name].layer for name in (suite.table, *suite.tables_beside)}
    beside = {
        name: read_table(con, f"{layers[name]}.{name}") for name in suite.tables_beside if name != PROVENANCE
    }
    if PROVENANCE in suite.tables_beside:
        query = f"SELECT * FROM {layers[PROVENANCE]}.{PROVENANCE} WHERE table_name = ?"
        beside[PROVENANCE] = con.execute(query, [suite.table]).df()
    return read_table(con, f"{layers[suite.table]}.{suite.table}"), beside


def load_archive(con: duckdb.DuckDBPyConnection, series: Sequence[Series], run_date: dt.date) -> pd.DataFrame:
    """One row per series, in the order given: what the archive holds beside what the catalogue says."""
    declared = pd.DataFrame(
        [
            (n, s.series_id, s.plausible_min, s.plausible_max, s.unit_kind, s.frequency)
            for n, s in enumerate(series)
        ],
        columns=["position", "series_id", "plausible_min", "plausible_max", "unit_kind", "frequency"],
    )
    with registered(con, declared, _DECLARED):
        return con.execute(_SUMMARY, {"run_date": run_date}).df()[list(TYPES)]


def offending_observations(
    con: duckdb.DuckDBPyConnection, series: Series, run_date: dt.date, most: int
) -> list[dict[str, object]]:
    """The newest rows of a series that break a rule, `most` at most."""
    limits = {"plausible_min": series.plausible_min, "plausible_max": series.plausible_max}
    found = con.execute(
        _OFFENDING, {"series_id": series.series_id, "run_date": run_date, "most": most, **limits}
    )
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, map(_text, row), strict=True)) for row in found.fetchall()]


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value
