"""Captures that reached the archive after a row was published or frozen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.models import Catalog
from assets.catalog.render import quoted
from assets.compute.archive import Captures, Rows, pack
from assets.compute.calendar import days
from assets.compute.record import Cause
from assets.warehouse.live import PROVENANCE, SCHEMA, LiveRow, microseconds
from assets.warehouse.readers import frame_of, vintages_as_of
from assets.warehouse.schema import REAL
from assets.warehouse.tables import registered

# Which captures may change what is in force on $day: figures public by then, and vintages that begin later where a row
# was dated by lag rule, which gives way to a real vintage and comes back when that is retracted (`schema.py`).
REACHES_DAY = f"""(
    realtime_start <= $day OR (
      vintage_source IN ({REAL}, 'retracted') AND (series_id, observation_date) IN (
        SELECT (series_id, observation_date) FROM raw.vintages
        WHERE vintage_source = 'lag_rule' AND realtime_start <= $day
      )
    )
  )"""
# `before` is what was stored under the same key.
_SINCE = f"""
WITH new AS (
  SELECT * FROM raw.vintages WHERE captured_at > $since AND {REACHES_DAY}
), before AS (
  SELECT series_id, observation_date, realtime_start, arg_max(coalesce(value, 'nan'::DOUBLE), captured_at) AS value,
    arg_max(vintage_source, captured_at) AS vintage_source
  FROM raw.vintages SEMI JOIN new USING (series_id, observation_date, realtime_start)
  WHERE captured_at <= $since GROUP BY ALL
), replaceable AS (
  SELECT DISTINCT series_id, observation_date
  FROM raw.vintages SEMI JOIN new USING (series_id, observation_date)
  WHERE captured_at <= $since AND vintage_source = 'lag_rule'
)
SELECT n.series_id, n.observation_date, n.realtime_start, n.captured_at,
  CASE
    WHEN n.vintage_source = 'retracted' OR (n.value IS NULL AND NOT isnan(b.value)) THEN 'retracted'
    WHEN b.vintage_source <> 'lag_rule' OR n.vintage_source NOT IN ({REAL}) AND b.series_id IS NOT NULL THEN 'corrected'
    WHEN n.vintage_source IN ({REAL}) AND r.series_id IS NOT NULL THEN 'better_vintage'
    ELSE 'late'
  END AS reason
FROM new AS n
LEFT JOIN before AS b USING (series_id, observation_date, realtime_start)
LEFT JOIN replaceable AS r USING (series_id, observation_date)
ORDER BY ALL
"""
# Figures of one year: what feeds a row is at most that old.
_REACHED = f"""
SELECT series_id, observation_date, max(captured_at) AS captured_at FROM raw.vintages
WHERE captured_at > $captured_until AND observation_date > $day::DATE - INTERVAL 400 DAY
  AND series_id IN (SELECT unnest($series_ids)) AND {REACHES_DAY}
GROUP BY ALL
"""
# A figure may also move with the first real vintage of its series, which is another observation's.
_LATE = f"""
WITH reached AS ({_REACHED})
SELECT $day::DATE AS as_of_date, series_id, observation_date,
  coalesce(late.realtime_start, used.realtime_start) AS realtime_start, used.value AS value_used,
  late.value AS value_late, coalesce(r.captured_at, (SELECT max(captured_at) FROM reached)) AS captured_at,
  $captured_until::TIMESTAMP AS captured_until,
  coalesce(p.first_published_at, $captured_until::TIMESTAMP) AS first_published_at
FROM (SELECT series_id, observation_date FROM late_side UNION SELECT series_id, observation_date FROM used_side)
  AS both_sides
LEFT JOIN late_side AS late USING (series_id, observation_date)
LEFT JOIN used_side AS used USING (series_id, observation_date)
LEFT JOIN reached AS r USING (series_id, observation_date)
LEFT JOIN ops.published_rows AS p ON p.as_of_date = $day AND p.profile = $profile AND p.method_version = $version
WHERE used.value IS DISTINCT FROM late.value AND observation_date > $day::DATE - INTERVAL 400 DAY
ORDER BY ALL
"""


@dataclass(frozen=True)
class CaptureGroup:
    """Captures of one series and reason since a moment (microseconds UTC), by the keys of their vintages."""

    cause: Cause
    keys: Rows
    since: int

    def left_out_of(self, captures: Captures) -> Captures:
        """Everything captured but these."""
        is_of_group = (captures.captured > self.since) & np.isin(captures.key, self.keys)
        return captures.take(~is_of_group)


def captures_since(
    con: duckdb.DuckDBPyConnection, since: dt.datetime, last: dt.date, codes: Mapping[str, int]
) -> list[CaptureGroup]:
    """Captures after `since` (UTC without an offset) that may change a row up to `last`, by reason and series.

    `codes` are those of the captures the groups will be left out of; series without a code are left out.
    """
    found = frame_of(con, _SINCE, {"since": since, "day": last})
    groups = []
    for (reason, series_id), rows in found[found["series_id"].isin([*codes])].groupby(
        ["reason", "series_id"]
    ):
        observation, start = (days(rows[name].to_numpy()) for name in ("observation_date", "realtime_start"))
        code = np.full(len(rows), codes[str(series_id)], dtype="int64")
        cause = Cause(str(reason), str(series_id), rows["captured_at"].max().to_pydatetime())
        groups.append(CaptureGroup(cause, pack(code, observation, start), microseconds(since)))
    return groups


def late_figures(
    con: duckdb.DuckDBPyConnection, profile: str, catalog: Catalog, live: Sequence[LiveRow]
) -> pd.DataFrame:
    """Rows of `late_figures`: what live rows would have used had it come in time. Empty in most runs."""
    columns = list(catalog.tables["late_figures"].column_names)
    found = [_late(con, row, profile, catalog) for row in live]
    found = [frame for frame in found if frame is not None]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def _late(
    con: duckdb.DuckDBPyConnection, row: LiveRow, profile: str, catalog: Catalog
) -> pd.DataFrame | None:
    """The late figures of one row; None when none of its series was captured since."""
    ids = _series_read(con, row, catalog)
    parameters = {"captured_until": row.captured_until, "day": row.as_of_date, "series_ids": ids}
    if not con.execute(f"{_REACHED} LIMIT 1", parameters).fetchall():
        return None
    until = row.captured_until.replace(tzinfo=dt.UTC)
    used, late = (vintages_as_of(con, row.as_of_date, ids, moment) for moment in (until, None))
    with registered(con, used, "used_side"), registered(con, late, "late_side"):
        return frame_of(
            con, _LATE, {**parameters, "profile": profile, "version": catalog.method.method_version}
        )


def _series_read(con: duckdb.DuckDBPyConnection, row: LiveRow, catalog: Catalog) -> list[str]:
    """Series a live row was computed from, by its provenance and by tables with a column `series_ids`."""
    naming = {PROVENANCE, *(t.name for t in catalog.as_of_tables() if "series_ids" in t.column_names)}
    stored = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ?",
        [SCHEMA],
    ).fetchall()
    parts = " UNION ".join(
        f"SELECT series_ids FROM {SCHEMA}.{quoted(name)} "
        "WHERE as_of_date = $day AND frozen_release_id = $release"
        for (name,) in stored
        if name in naming
    )
    query = f"SELECT DISTINCT unnest(string_split(series_ids, ',')) AS id FROM ({parts}) ORDER BY id"
    parameters = {"day": row.as_of_date, "release": row.release_id}
    return [series_id for (series_id,) in con.execute(query, parameters).fetchall() if series_id]
