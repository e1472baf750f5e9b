"""Writing what was fetched: archive and books together, before long, so that an interruption loses nothing.

Belongs here: when to write, and the status that follows from the merge. Does not belong here: fetching (`ingest.py`),
the rules of the merge (`warehouse/merge.py`).

What took no time to fetch is written in one transaction at the end; what took a while is written at once.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from assets.catalog.models import Series
from assets.compute.calendar import days, period_end
from assets.run_facts import RunFacts
from assets.sources.protocol import FetchStatus, LateRelease, Payload, PayloadRefused, SourceUnreachable
from assets.warehouse.fetches import record_fetches
from assets.warehouse.merge import Absence, MergeCounts, ReleasedOn, merge_source
from assets.warehouse.readers import Holding, observation_counts
from assets.warehouse.tables import transaction

if TYPE_CHECKING:
    import duckdb

_WRITE_AFTER_SECONDS = 0.25
_NOTHING = MergeCounts(0, 0, 0, 0)


@dataclass
class Ingested:
    """What came of one series. `payload` is None where nothing was served, or nothing that may be kept.

    `requests` and `seconds` are what asking took, failed attempts included. `released_on` replaces the lag rule.
    `late` is a figure whose planned day has passed. `absence`: days on which a figure seen now for the first time
    was not public yet. `failure` is why nothing came.
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
    absence: Absence | None = None
    counts: MergeCounts = _NOTHING
    holding: Holding | None = None
    failure: SourceUnreachable | PayloadRefused | None = None

    @property
    def may_pass(self) -> bool:
        """Whether asking again later may help."""
        return self.failure is not None and self.failure.may_pass


class Keeper:
    """Takes results one by one and writes them; leaving it, also by an exception, writes the rest."""

    def __init__(self, con: duckdb.DuckDBPyConnection, today: dt.date, facts: RunFacts) -> None:
        self._con, self._today, self._facts = con, today, facts
        self._waiting: list[Ingested] = []
        self.done: list[Ingested] = []

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def add(self, fetched: Ingested) -> None:
        """One more result; written at once when it, with those that wait, took a while to fetch."""
        self._waiting.append(fetched)
        if sum(one.seconds for one in self._waiting) >= _WRITE_AFTER_SECONDS:
            self._write()

    def _write(self) -> None:
        results, self._waiting = self._waiting, []
        if not results:
            return
        with transaction(self._con):
            counts = merge_source(
                self._con,
                [
                    (one.series, one.payload, one.fetch_id)
                    for one in results
                    if one.payload is not None and len(one.payload.observations)
                ],
                run_date=self._today,
                captured_at=self._facts.started_at,
                released_on={one.series.series_id: one.released_on for one in results},
                absences={one.series.series_id: one.absence for one in results if one.absence is not None},
            )
            held = observation_counts(self._con, [one.series.series_id for one in results])
            for one in results:
                one.counts = counts.get(one.series.series_id, one.counts)
                one.holding = held.get(one.series.series_id)
                one.status = self._status(one)
                one.message = "; ".join(filter(None, (one.message, *one.counts.warnings))) or None
            record_fetches(self._con, results, self._facts, self._today)
        self.done.extend(results)

    def _status(self, one: Ingested) -> FetchStatus:
        if one.payload is None:
            return one.status
        if one.counts.appended:
            return "new"
        return "stale" if _is_stale(one, self._facts.run_date) else one.status


def _is_stale(done: Ingested, run_date: dt.date) -> bool:
    if done.series.is_step or done.holding is None or done.holding.last_figure is None:
        return False
    end = period_end(days(done.holding.last_figure), done.series.frequency)[0]
    return bool((np.datetime64(run_date, "D") - end) > np.timedelta64(done.series.staleness_limit_days, "D"))
