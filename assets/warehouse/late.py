"""Figures that reached us after a row was published, though the world could know them before.

Belongs here: the question, in SQL. Does not belong here: the rule that the published row stands (`compute/archive.py`).
"""

from __future__ import annotations

import duckdb
import pandas as pd

from assets.warehouse.readers import frame_of

# per published month-end: vintages captured after its first publication that would stand as known on that day, and
# what stood in their place. One year of periods is looked at: what feeds a row is at most that old.
_LATE = """
WITH published AS (
  SELECT as_of_date, first_published_at FROM ops.published_rows WHERE profile = ? AND method_version = ?
), late AS (
  SELECT p.as_of_date, p.first_published_at, v.series_id, v.observation_date, v.realtime_start, v.captured_at, v.value
  FROM raw.vintages v
  JOIN published p ON v.captured_at > p.first_published_at AND v.realtime_start <= p.as_of_date
    AND v.observation_date > p.as_of_date - INTERVAL 400 DAY
  QUALIFY row_number() OVER (
    PARTITION BY p.as_of_date, v.series_id, v.observation_date ORDER BY v.realtime_start DESC, v.captured_at DESC
  ) = 1
)
SELECT late.as_of_date, late.series_id, late.observation_date, late.realtime_start, used.value AS value_used,
  late.value AS value_late, late.captured_at, late.first_published_at
FROM late
LEFT JOIN LATERAL (
  SELECT value, realtime_start FROM raw.vintages u
  WHERE u.series_id = late.series_id AND u.observation_date = late.observation_date
    AND u.realtime_start <= late.as_of_date AND u.captured_at <= late.first_published_at
  ORDER BY u.realtime_start DESC, u.captured_at DESC LIMIT 1
) used ON true
WHERE used.value IS DISTINCT FROM late.value AND coalesce(used.realtime_start <= late.realtime_start, true)
ORDER BY ALL
"""


def late_figures(con: duckdb.DuckDBPyConnection, profile: str, method_version: str) -> pd.DataFrame:
    """Columns of `late_figures`; empty on most nights."""
    con.execute(_LATE, [profile, method_version])
    return frame_of(con)
