"""What the archive already holds of each series, so that a source need only be asked for what is new.

Belongs here: that question, in SQL. Does not belong here: what follows from the answer (`assets/sources`), judging what
is served (`readers.py` has the last whole fetch for that).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb

# A source that gives no vintages is known by its newest observation alone. What was refused or not reached is as if
# it had not been asked for.
_KNOWN = """
WITH fetched AS (
  SELECT series_id, arg_max(last_updated, fetched_at) AS last_updated,
    max(fetched_at) FILTER (is_complete) AS reconciled_at
  FROM raw.fetches WHERE status IN ('new', 'unchanged', 'stale')
  GROUP BY series_id
), held AS (
  SELECT series_id, max(observation_date) AS newest_observation,
    max(realtime_start) FILTER (vintage_source = 'alfred') AS newest_vintage
  FROM raw.vintages SEMI JOIN fetched USING (series_id)
  GROUP BY series_id
)
SELECT series_id, last_updated, newest_vintage, newest_observation, reconciled_at
FROM held JOIN fetched USING (series_id)
"""


@dataclass(frozen=True)
class KnownSeries:
    """Moments are aware UTC. `last_updated`: the publisher's own stamp at our last accepted fetch.

    `newest_vintage`: newest first day among vintages of the source's own, `newest_observation`: of any row held.
    `reconciled_at`: our last accepted fetch of the whole history.
    """

    last_updated: dt.datetime | None
    newest_vintage: dt.date | None
    newest_observation: dt.date | None
    reconciled_at: dt.datetime | None


def known_series(con: duckdb.DuckDBPyConnection) -> dict[str, KnownSeries]:
    """Every series of which an accepted fetch left rows, by id."""
    return {
        series_id: KnownSeries(_aware(updated), vintage, observation, _aware(reconciled))
        for series_id, updated, vintage, observation, reconciled in con.execute(_KNOWN).fetchall()
    }


def _aware(moment: dt.datetime | None) -> dt.datetime | None:
    return None if moment is None else moment.replace(tzinfo=dt.UTC)
