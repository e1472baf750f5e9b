"""`raw.fetches`: one row per series and run, and what accepted fetches state about each series."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.run_facts import RunFacts
from assets.sources.protocol import (
    FetchStatus,
    Known,
    LateRelease,
    Payload,
    PayloadRefused,
    PlannedRelease,
    SourceUnreachable,
)
from assets.warehouse.connection import query_rows, utc
from assets.warehouse.merge import MergeCounts, ReleasedOn
from assets.warehouse.readers import Holding
from assets.warehouse.writing import append_rows

# A fetch that was refused, or did not reach the source, counts for nothing. One recorded before `source_day` existed
# counts by the day of New York's summer time. One dated after today was made while the clock was ahead, and proves
# nothing about any day before.
_KNOWN = """
WITH accepted AS (
  SELECT *, coalesce(source_day, CAST(fetched_at - INTERVAL 4 HOUR AS DATE)) AS day
  FROM raw.fetches WHERE status IN ('new', 'unchanged', 'stale')
), fetched AS (
  SELECT series_id, arg_max(last_updated, fetched_at) AS last_updated,
    max(fetched_at) FILTER (is_complete) AS reconciled_at,
    arg_max_null(unit_kind, fetched_at) FILTER (is_complete) AS unit_kind,
    arg_max_null(rows_served, fetched_at) FILTER (is_complete) AS rows_served,
    max(day) FILTER (is_complete AND day <= $today) AS complete_on,
    max(day) FILTER (day <= $today) AS asked_on,
    max(next_observation) FILTER (source_day > $planned_since) AS planned
  FROM accepted GROUP BY series_id
), stored AS (
  SELECT series_id, max(realtime_start) FILTER (vintage_source = 'alfred') AS newest_vintage,
    min(observation_date) AS held_first, max(observation_date) AS newest_observation,
    max(captured_at) FILTER (vintage_source = 'rtdsm') AS vintages_at,
    max(realtime_start) FILTER (vintage_source = 'publisher') AS newest_of_publisher
  FROM raw.vintages SEMI JOIN fetched USING (series_id) GROUP BY series_id
)
SELECT * FROM stored JOIN fetched USING (series_id)
"""
_PLANNED_FOR = dt.timedelta(days=6)  # after it, the day planned for a figure is requested again


@dataclass
class Ingested:
    """The result of one series. `payload` is None where nothing was served, or nothing that is accepted.

    `requests` and `seconds` include failed attempts. `released_on` replaces the lag rule. `late` is a figure whose
    planned day has passed, `planned` the next one of the publisher's calendar. `known` is what the archive had of the
    series before, `holding` what it has afterwards. `failure` is why nothing came.
    """

    series: Series
    status: FetchStatus
    message: str | None = None
    payload: Payload | None = None
    requests: int = 0
    seconds: float = 0.0
    released_on: ReleasedOn = field(default_factory=dict)
    late: LateRelease | None = None
    planned: PlannedRelease | None = None
    known: Known | None = None
    counts: MergeCounts = field(default_factory=MergeCounts)
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


def fetch_id(series: Series, facts: RunFacts) -> str:
    """Key of the fetch of a series in a run."""
    return f"{facts.run_id}/{series.series_id}"


def _row(outcome: Ingested, facts: RunFacts, source_day: dt.date) -> dict[str, object]:
    row: dict[str, object] = {
        "fetch_id": fetch_id(outcome.series, facts),
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
        **outcome.counts.as_columns(),
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


def known_series(con: duckdb.DuckDBPyConnection, today: dt.date) -> dict[str, Known]:
    """Every series with rows from an accepted fetch, by id. `today` is the publisher's day."""
    rows = query_rows(con, _KNOWN, {"today": today, "planned_since": today - _PLANNED_FOR})
    return {
        row.pop("series_id"): Known(**{name: _aware(value) for name, value in row.items()}) for row in rows
    }


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=dt.UTC) if isinstance(value, dt.datetime) else value
