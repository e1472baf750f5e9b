"""`raw.fetches`: one row per series and run, and what accepted fetches state about each series."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.run_facts import RunFacts
from assets.sources.protocol import (
    FetchStatus,
    Known,
    LastFetch,
    LateRelease,
    Payload,
    PayloadRefused,
    PlannedRelease,
    SourceUnreachable,
)
from assets.warehouse.connection import utc
from assets.warehouse.merge import Absence, MergeCounts, ReleasedOn
from assets.warehouse.readers import Holding
from assets.warehouse.tables import append_rows

_NO_ROWS = MergeCounts(0, 0, 0, 0)
# A fetch that was refused, or did not reach the source, counts for nothing below.
_ACCEPTED = "status IN ('new', 'unchanged', 'stale')"
_KNOWN = f"""
WITH fetched AS (
  SELECT series_id, arg_max(last_updated, fetched_at) AS last_updated,
    max(fetched_at) FILTER (is_complete) AS reconciled_at
  FROM raw.fetches WHERE {_ACCEPTED} GROUP BY series_id
), stored AS (
  SELECT series_id, max(realtime_start) FILTER (vintage_source = 'alfred') AS newest_vintage,
    max(observation_date) AS newest_observation,
    max(captured_at) FILTER (vintage_source = 'rtdsm') AS vintages_at,
    max(realtime_start) FILTER (vintage_source = 'publisher') AS newest_of_publisher
  FROM raw.vintages SEMI JOIN fetched USING (series_id) GROUP BY series_id
)
SELECT series_id, last_updated, newest_vintage, newest_observation, reconciled_at, vintages_at, newest_of_publisher
FROM stored JOIN fetched USING (series_id)
"""
_LAST_FETCHES = f"""
SELECT series_id, unit_kind, rows_served, held_first
FROM raw.fetches
LEFT JOIN (SELECT series_id, min(observation_date) AS held_first FROM raw.vintages GROUP BY series_id)
  USING (series_id)
WHERE {_ACCEPTED} AND is_complete
QUALIFY row_number() OVER (PARTITION BY series_id ORDER BY fetched_at DESC) = 1
"""
# Fetches recorded before `source_day` existed count by the day of New York's summer time.
# One dated after today was made while the clock was ahead, and proves nothing about any day before.
_FETCH_DAYS = f"""
WITH accepted AS (
  SELECT series_id, is_complete, coalesce(source_day, CAST(fetched_at - INTERVAL 4 HOUR AS DATE)) AS day
  FROM raw.fetches WHERE {_ACCEPTED}
)
SELECT series_id, max(day) FILTER (is_complete), max(day)
FROM accepted WHERE day <= $today GROUP BY series_id
"""


@dataclass
class Ingested:
    """The result of one series. `payload` is None where nothing was served, or nothing that is accepted.

    `requests` and `seconds` include failed attempts. `released_on` replaces the lag rule. `late` is a figure whose
    planned day has passed, `planned` the next one of the publisher's calendar. `absence`: days on which a figure
    seen now for the first time was not yet public. `holding` is what the archive has of the series afterwards.
    `failure` is why nothing came.
    """

    series: Series
    fetch_id: str
    status: FetchStatus
    message: str | None = None
    payload: Payload | None = None
    requests: int = 0
    seconds: float = 0.0
    released_on: ReleasedOn = field(default_factory=dict)
    late: LateRelease | None = None
    planned: PlannedRelease | None = None
    absence: Absence | None = None
    counts: MergeCounts = _NO_ROWS
    holding: Holding | None = None
    failure: SourceUnreachable | PayloadRefused | None = None

    @property
    def may_pass(self) -> bool:
        """Whether a retry may help."""
        return self.failure is not None and self.failure.may_pass


def record_fetches(
    con: duckdb.DuckDBPyConnection, outcomes: Sequence[Ingested], facts: RunFacts, source_day: dt.date
) -> None:
    """Write one row of `raw.fetches` per outcome; `fetched_at` is the start of the run, as in the archive.

    `source_day` is the publisher's own day at the fetch.
    """
    table = load_catalog().tables["fetches"]
    rows = [_row(outcome, facts, source_day) for outcome in outcomes]
    append_rows(con, table, pd.DataFrame(rows, columns=list(table.column_names)))


def _row(outcome: Ingested, facts: RunFacts, source_day: dt.date) -> dict[str, object]:
    counts = ("new", "revised", "corrected", "unchanged", "withdrawn", "retracted", "differing")
    row = {
        "fetch_id": outcome.fetch_id,
        "run_id": facts.run_id,
        "series_id": outcome.series.series_id,
        "source": outcome.series.source,
        "profile": facts.profile,
        "fetched_at": utc(facts.started_at),
        "status": outcome.status,
        "message": outcome.message or None,
        "requests": outcome.requests,
        "seconds": outcome.seconds,
        "late_observation": outcome.late.observation_date if outcome.late else None,
        "late_since": outcome.late.expected_on if outcome.late else None,
        "next_observation": outcome.planned.observation_date if outcome.planned else None,
        "next_release_on": outcome.planned.day if outcome.planned else None,
        "source_day": source_day,
        **{f"rows_{name}": getattr(outcome.counts, name) for name in counts},
    }
    if (payload := outcome.payload) is None:
        return row
    dates = payload.observations["observation_date"]
    return row | {
        "fetched_from": payload.host,
        "unit": payload.unit,
        "unit_kind": payload.unit_kind,
        "frequency": payload.frequency_code or outcome.series.frequency,
        "last_updated": utc(payload.last_updated) if payload.last_updated else None,
        "is_complete": payload.is_complete,
        "rows_served": dates.nunique(),
        "served_first": dates.min(),
        "served_last": dates.max(),
    }


def known_series(con: duckdb.DuckDBPyConnection) -> dict[str, Known]:
    """Every series with rows from an accepted fetch, by id."""
    return {
        series_id: Known(_aware(updated), vintage, observation, _aware(reconciled), _aware(vintages), own)
        for series_id, updated, vintage, observation, reconciled, vintages, own in con.execute(
            _KNOWN
        ).fetchall()
    }


def last_fetches(con: duckdb.DuckDBPyConnection) -> dict[str, LastFetch]:
    """The last accepted complete fetch of every series that had one, by series id."""
    rows = con.execute(_LAST_FETCHES).fetchall()
    return {series_id: LastFetch(*rest) for series_id, *rest in rows}


def fetch_days(con: duckdb.DuckDBPyConnection, today: dt.date) -> dict[str, tuple[dt.date | None, dt.date]]:
    """The publisher's day at the last accepted complete fetch and at the last accepted one, by series id."""
    rows = con.execute(_FETCH_DAYS, {"today": today}).fetchall()
    return {series_id: (complete, newest) for series_id, complete, newest in rows}


def planned_releases(con: duckdb.DuckDBPyConnection, since: dt.date) -> dict[str, dt.date]:
    """The observation whose planned day was requested since a day, by series id."""
    query = "SELECT series_id, max(next_observation) FROM raw.fetches WHERE source_day > ? GROUP BY series_id"
    return {series_id: day for series_id, day in con.execute(query, [since]).fetchall() if day is not None}


def _aware(moment: dt.datetime | None) -> dt.datetime | None:
    return moment and moment.replace(tzinfo=dt.UTC)
