"""Fetches: one row per series and run in `raw.fetches`, and what accepted fetches say about a series."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import duckdb
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.run_facts import RunFacts
from assets.warehouse.connection import utc
from assets.warehouse.merge import MergeCounts, Served
from assets.warehouse.tables import append_rows


class ServedSeries(Served, Protocol):
    """What is remembered of a payload besides its figures."""

    @property
    def unit(self) -> str | None: ...
    @property
    def unit_kind(self) -> str | None: ...
    @property
    def frequency_code(self) -> str | None: ...
    @property
    def last_updated(self) -> dt.datetime | None: ...
    @property
    def is_complete(self) -> bool: ...


class Late(Protocol):
    """A figure whose release was planned and which has not come."""

    @property
    def observation_date(self) -> dt.date: ...
    @property
    def expected_on(self) -> dt.date: ...


class Outcome(Protocol):
    """What came of one series: `payload` is None where nothing was served, or nothing that may be kept."""

    @property
    def series(self) -> Series: ...
    @property
    def fetch_id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def message(self) -> str | None: ...
    @property
    def payload(self) -> ServedSeries | None: ...
    @property
    def counts(self) -> MergeCounts: ...
    @property
    def requests(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def late(self) -> Late | None: ...


def record_fetches(
    con: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome], facts: RunFacts, source_day: dt.date
) -> None:
    """Write one row of `raw.fetches` per outcome; `fetched_at` is the start of the run, as in the archive.

    `source_day` is the publisher's own day at the fetch.
    """
    table = load_catalog().tables["fetches"]
    rows = [_row(outcome, facts, source_day) for outcome in outcomes]
    append_rows(con, table, pd.DataFrame(rows, columns=list(table.column_names)))


def _row(outcome: Outcome, facts: RunFacts, source_day: dt.date) -> dict[str, object]:
    return {
        "fetch_id": outcome.fetch_id,
        "run_id": facts.run_id,
        "series_id": outcome.series.series_id,
        "source": outcome.series.source,
        "profile": facts.profile,
        "fetched_at": utc(facts.started_at),
        "status": outcome.status,
        "message": outcome.message or None,
        **_served(outcome),
        "requests": outcome.requests,
        "seconds": outcome.seconds,
        "late_observation": outcome.late.observation_date if outcome.late is not None else None,
        "late_since": outcome.late.expected_on if outcome.late is not None else None,
        "rows_new": outcome.counts.new,
        "rows_revised": outcome.counts.revised,
        "rows_corrected": outcome.counts.corrected,
        "rows_unchanged": outcome.counts.unchanged,
        "rows_withdrawn": outcome.counts.withdrawn,
        "rows_retracted": outcome.counts.retracted,
        "source_day": source_day,
    }


def _served(outcome: Outcome) -> dict[str, object]:
    payload = outcome.payload
    if payload is None:
        return {}
    dates = payload.observations["observation_date"]
    return {
        "unit": payload.unit,
        "unit_kind": payload.unit_kind,
        "frequency": payload.frequency_code or outcome.series.frequency,
        "last_updated": utc(payload.last_updated) if payload.last_updated is not None else None,
        "is_complete": payload.is_complete,
        "rows_served": dates.nunique(),
        "served_first": dates.min(),
        "served_last": dates.max(),
    }


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


_LAST_FETCHES = """
SELECT f.series_id, f.fetch_id, f.fetched_at, f.unit, f.unit_kind, f.frequency, f.rows_served, f.last_updated,
  h.held_first
FROM raw.fetches f
LEFT JOIN (SELECT series_id, min(observation_date) AS held_first FROM raw.vintages GROUP BY series_id) h
  USING (series_id)
WHERE f.status IN ('new', 'unchanged', 'stale') AND f.is_complete
QUALIFY row_number() OVER (PARTITION BY f.series_id ORDER BY f.fetched_at DESC) = 1
"""


# Fetches recorded before `source_day` existed count by the day of New York's summer time.
# One dated after today was made while the clock was ahead and says nothing about any day before.
_FETCH_DAYS = """
WITH accepted AS (
  SELECT series_id, is_complete, coalesce(source_day, CAST(fetched_at - INTERVAL 4 HOUR AS DATE)) AS day
  FROM raw.fetches WHERE status IN ('new', 'unchanged', 'stale')
)
SELECT series_id, max(day) FILTER (is_complete), max(day)
FROM accepted WHERE day <= $today GROUP BY series_id
"""


@dataclass(frozen=True)
class LastFetch:
    """The last accepted fetch of a series' whole history.

    `held_first`: oldest observation in the archive.
    """

    fetch_id: str
    fetched_at: dt.datetime
    unit: str | None
    unit_kind: str | None
    frequency: str | None
    rows_served: int | None
    last_updated: dt.datetime | None
    held_first: dt.date | None


def last_fetches(con: duckdb.DuckDBPyConnection) -> dict[str, LastFetch]:
    """The last accepted complete fetch of every series that had one, by series id."""
    rows = con.execute(_LAST_FETCHES).fetchall()
    return {series_id: LastFetch(*rest) for series_id, *rest in rows}


def fetch_days(con: duckdb.DuckDBPyConnection, today: dt.date) -> dict[str, tuple[dt.date | None, dt.date]]:
    """The publisher's day at the last accepted complete fetch and at the last accepted one, by series id."""
    rows = con.execute(_FETCH_DAYS, {"today": today}).fetchall()
    return {series_id: (complete, newest) for series_id, complete, newest in rows}
