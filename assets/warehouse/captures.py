"""What reached the archive since a publication and could change rows it published, by cause.

Belongs here: finding and naming these captures. Does not belong here: what they changed (`compute/corrections.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.compute.archive import Captures, Rows, pack
from assets.compute.calendar import days
from assets.compute.corrections import Cause
from assets.warehouse.readers import frame_of
from assets.warehouse.resolved import REAL

if TYPE_CHECKING:
    import duckdb

# Which captures may change what is read on $day: those of figures public by then, and vintages that begin later where a
# row dated by lag rule stood, which gives way to a real vintage and comes back when that is retracted (`resolved.py`).
REACHES_DAY = f"""(
    realtime_start <= $day OR (
      vintage_source IN ({REAL}, 'retracted') AND (series_id, observation_date) IN (
        SELECT (series_id, observation_date) FROM raw.vintages
        WHERE vintage_source = 'lag_rule' AND realtime_start <= $day
      )
    )
  )"""
# `held` is what stood under the same key before.
_SINCE = f"""
WITH new AS (
  SELECT * FROM raw.vintages WHERE captured_at > $since AND {REACHES_DAY}
), held AS (
  SELECT series_id, observation_date, realtime_start, arg_max(coalesce(value, 'nan'::DOUBLE), captured_at) AS value
  FROM raw.vintages SEMI JOIN new USING (series_id, observation_date, realtime_start)
  WHERE captured_at <= $since GROUP BY ALL
), replaceable AS (
  SELECT DISTINCT series_id, observation_date
  FROM raw.vintages SEMI JOIN new USING (series_id, observation_date)
  WHERE captured_at <= $since AND vintage_source = 'lag_rule'
)
SELECT n.series_id, n.observation_date, n.realtime_start, n.captured_at,
  CASE
    WHEN n.vintage_source = 'retracted' OR (n.value IS NULL AND NOT isnan(h.value)) THEN 'retracted'
    WHEN h.series_id IS NOT NULL THEN 'corrected'
    WHEN n.vintage_source IN ({REAL}) AND r.series_id IS NOT NULL THEN 'better_vintage'
    ELSE 'late'
  END AS reason
FROM new AS n
LEFT JOIN held AS h USING (series_id, observation_date, realtime_start)
LEFT JOIN replaceable AS r USING (series_id, observation_date)
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
    """What was captured after `since` (UTC without an offset) and may change a row up to `last`, by reason and series.

    `codes` are those of the captures the groups will be left out of; series without a code are not looked at.
    """
    con.execute(_SINCE, {"since": since, "day": last})
    found = frame_of(con)
    moment = int(np.datetime64(since, "us").astype("int64"))
    groups = []
    for (reason, series_id), rows in found[found["series_id"].isin(list(codes))].groupby(
        ["reason", "series_id"]
    ):
        observation, start = (days(rows[name].to_numpy()) for name in ("observation_date", "realtime_start"))
        code = np.full(len(rows), codes[str(series_id)], dtype="int64")
        cause = Cause(str(reason), str(series_id), rows["captured_at"].max().to_pydatetime())
        groups.append(CaptureGroup(cause, pack(code, observation, start), moment))
    return groups
