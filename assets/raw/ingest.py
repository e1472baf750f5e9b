"""One publisher's night: fetch, judge, merge, and say what came of every series.

Belongs here: the order of work and what each failure means. Does not belong here: Dagster (`assets.py`), the rules of
judging (`sources/validate.py`), the merge (`warehouse/merge.py`).

A series that fails leaves the others' work in place. Unreachable is a matter of coverage; reached but wrong refuses
the whole payload before it touches the warehouse.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from assets.catalog.models import Catalog, Series
from assets.compute.calendar import days, period_end, released_on
from assets.run_facts import RunFacts
from assets.sources.protocol import (
    FetchStatus,
    Payload,
    PayloadRefused,
    SeriesUnknown,
    Source,
    SourceUnreachable,
)
from assets.sources.validate import validate
from assets.warehouse.fetches import record_fetches
from assets.warehouse.merge import MergeCounts, merge_source
from assets.warehouse.readers import Holding, LastFetch, last_fetches, observation_counts

if TYPE_CHECKING:
    import duckdb

_NOTHING = MergeCounts(0, 0, 0, 0)


@dataclass(frozen=True)
class Ingested:
    """What came of one series. `payload` is None where nothing was served, or nothing that may be kept."""

    series: Series
    fetch_id: str
    status: FetchStatus
    message: str | None
    payload: Payload | None = None
    counts: MergeCounts = _NOTHING
    holding: Holding | None = None


def ingest(
    con: duckdb.DuckDBPyConnection,
    selected: Sequence[Series],
    source: Source,
    today: dt.date,
    facts: RunFacts,
    catalog: Catalog,
) -> list[Ingested]:
    """Fetch and merge the selected series of one publisher; every one of them gets a result and a row in the books.

    `today` is the source's own day. The merge of all accepted series is one transaction.
    """
    before = last_fetches(con)
    fetched = [_fetch(series, source, today, before.get(series.series_id), facts) for series in selected]
    counts = merge_source(
        con,
        [(f.series, f.payload, f.fetch_id) for f in fetched if f.payload is not None],
        run_date=today,
        captured_at=facts.started_at,
        released_on={s.series_id: released_on(catalog.release_delays, s.series_id) for s in selected},
    )
    held = observation_counts(con)
    done = [_settled(f, counts, held, facts.run_date) for f in fetched]
    record_fetches(con, done, facts)
    return done


def _fetch(
    series: Series, source: Source, today: dt.date, last: LastFetch | None, facts: RunFacts
) -> Ingested:
    fetch_id = f"{facts.run_id}/{series.series_id}"
    if facts.profile not in series.profiles:
        return Ingested(series, fetch_id, "not_in_profile", None)
    try:
        payload = source.fetch(series)
        warnings = validate(payload, series, today, last)
    except PayloadRefused as refusal:
        return Ingested(series, fetch_id, "refused", str(refusal))
    except (SourceUnreachable, SeriesUnknown) as failure:
        return Ingested(series, fetch_id, "unreachable", str(failure))
    return Ingested(series, fetch_id, "unchanged", "; ".join(warnings) or None, payload)


def _settled(
    fetched: Ingested, counts: Mapping[str, MergeCounts], held: Mapping[str, Holding], run_date: dt.date
) -> Ingested:
    """The same result with what the merge did, and the status that follows from it."""
    series = fetched.series
    done = replace(fetched, counts=counts.get(series.series_id, _NOTHING), holding=held.get(series.series_id))
    if done.payload is None:
        return done
    if done.counts.appended:
        return replace(done, status="new")
    return replace(done, status="stale") if _is_stale(done, run_date) else done


def _is_stale(done: Ingested, run_date: dt.date) -> bool:
    if done.series.is_step or done.holding is None or done.holding.last_figure is None:
        return False
    end = period_end(days(done.holding.last_figure), done.series.frequency)[0]
    return bool((np.datetime64(run_date, "D") - end) > np.timedelta64(done.series.staleness_limit_days, "D"))
