"""What is judged, read from the warehouse: a table with those beside it, the archive as one row per series.

Belongs here: reading and counting. Does not belong here: rules, judging.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from assets.catalog.models import Catalog, Series
from assets.run_facts import RunFacts
from assets.warehouse.live import read_record
from assets.warehouse.readers import read_table
from assets.warehouse.tables import registered
from checks.audits.leak import PROVENANCE
from checks.suites.raw import TYPES
from checks.suites.rules import Suite

if TYPE_CHECKING:
    import duckdb

_DECLARED = "declared_series"
_DIFFERENCES = ("pct", "pp", "indicator")  # their changes are differences; those of levels are percent
# a period, and what holidays and a release some days late take beyond the lag
_PERIOD_AND_GRACE_DAYS = {"D": (1, 6), "W": (7, 7), "M": (31, 14), "Q": (92, 30)}
_ENOUGH = 60  # figures a series needs before a change can be called unlike its history
_LATELY_DAYS = 31  # a revision is new for so long
# One pass over the archive; what is wrong with a row is counted per series, so that nothing else leaves the database.
_SUMMARY = f"""
WITH read AS MATERIALIZED (
  SELECT o.*, d.is_level, d.is_step FROM raw.observations AS o JOIN {_DECLARED} AS d USING (series_id)
), held AS (
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
  FROM read AS o GROUP BY o.series_id
), known AS (
  SELECT o.series_id, o.observation_date, o.realtime_start, o.realtime_end >= $run_date AS stands,
    CASE WHEN o.is_level AND o.value > 0 THEN 100 * ln(o.value) ELSE o.value END AS size, o.is_step
  FROM read AS o
  WHERE o.realtime_start <= $run_date AND o.value IS NOT NULL
), change AS (
  SELECT *, abs(size - lag(size) OVER (PARTITION BY series_id ORDER BY observation_date)) AS by_size,
    row_number() OVER (PARTITION BY series_id ORDER BY observation_date DESC) = 1 AS is_newest
  FROM known WHERE stands
), pace AS (
  SELECT series_id, max(observation_date) AS newest,
    CASE WHEN count(*) >= {_ENOUGH} AND NOT any_value(is_step)
      THEN max(by_size) FILTER (is_newest) END AS newest_change,
    max(by_size) FILTER (NOT is_newest) AS largest_change,
    median(by_size) AS median_change
  FROM change GROUP BY series_id
), revision AS (
  SELECT series_id, realtime_start,
    abs(size - lag(size) OVER (PARTITION BY series_id, observation_date ORDER BY realtime_start)) AS by_size
  FROM known WHERE NOT is_step
), revised AS (
  SELECT series_id,
    max(by_size) FILTER (realtime_start > $run_date - {_LATELY_DAYS}) AS newest_revision,
    max(by_size) FILTER (realtime_start <= $run_date - {_LATELY_DAYS}) AS largest_revision
  FROM revision GROUP BY series_id
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
  f.frequency AS frequency_stated, d.frequency,
  CASE WHEN NOT d.is_step AND f.status <> 'not_in_profile' THEN $run_date - CASE d.frequency
    WHEN 'M' THEN last_day(p.newest)
    WHEN 'Q' THEN last_day(CAST(date_trunc('quarter', p.newest) + INTERVAL 2 MONTH AS DATE))
    ELSE p.newest
  END END AS days_since_period, d.due_after_days, d.staleness_limit_days,
  p.newest_change, p.largest_change, p.median_change, r.newest_revision, r.largest_revision
FROM {_DECLARED} AS d
LEFT JOIN held AS h USING (series_id)
LEFT JOIN last_fetch AS f USING (series_id)
LEFT JOIN pace AS p USING (series_id)
LEFT JOIN revised AS r USING (series_id)
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
    con: duckdb.DuckDBPyConnection, suite: Suite, facts: RunFacts, catalog: Catalog
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """The suite's table and the tables its rules read beside it. Raises LookupError for one that is not there.

    Beside a table that is about the record stand the tables as published, beside any other the panel.
    """
    layers = {name: catalog.tables[name].layer for name in (suite.table, *suite.tables_beside)}

    def other(name: str) -> pd.DataFrame:
        if catalog.tables[suite.table].is_as_of:
            return read_table(con, f"{layers[name]}.{name}")
        return read_record(con, name, catalog, facts.profile, facts.run_date)

    beside = {name: other(name) for name in suite.tables_beside if name != PROVENANCE}
    if PROVENANCE in suite.tables_beside:
        query = f"SELECT * FROM {layers[PROVENANCE]}.{PROVENANCE} WHERE table_name = ?"
        beside[PROVENANCE] = con.execute(query, [suite.table]).df()
    return read_table(con, f"{layers[suite.table]}.{suite.table}"), beside


def load_archive(con: duckdb.DuckDBPyConnection, series: Sequence[Series], run_date: dt.date) -> pd.DataFrame:
    """One row per series, in the order given: what the archive holds beside what the catalogue says."""
    declared = pd.DataFrame(
        [
            (
                n, s.series_id, s.plausible_min, s.plausible_max, s.unit_kind, s.frequency, s.is_step,
                s.plausible_min >= 0 and s.unit_kind not in _DIFFERENCES, _due_after(s),
                s.staleness_limit_days or None,
            )
            for n, s in enumerate(series)
        ],
        columns=[
            "position", "series_id", "plausible_min", "plausible_max", "unit_kind", "frequency", "is_step",
            "is_level", "due_after_days", "staleness_limit_days",
        ],
    ).astype({"staleness_limit_days": "Int64"})  # fmt: skip
    with registered(con, declared, _DECLARED):
        return con.execute(_SUMMARY, {"run_date": run_date}).df()[list(TYPES)]


def _due_after(series: Series) -> int:
    """Days after the end of the newest period by which the next one should have been published."""
    lag = max(series.release_lag_days, series.release_lag_q4_days or 0)
    period, grace = _PERIOD_AND_GRACE_DAYS[series.frequency]
    return lag + period + grace


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
