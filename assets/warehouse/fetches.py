"""The book of fetches: one row for every series in every run, whatever came of it.

Belongs here: writing `raw.fetches`. Does not belong here: deciding what came of a fetch (`assets/raw`), the
merge.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import duckdb
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.warehouse.merge import MergeCounts, Served, utc
from assets.warehouse.tables import append_rows

if TYPE_CHECKING:
    from assets.run_facts import RunFacts


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
