"""One publisher's night: fetch, judge, merge, and say what came of every series.

Belongs here: the order of work and what each failure means. Does not belong here: Dagster (`assets.py`), the rules of
judging (`sources/validate.py`), writing (`keeping.py`).

A series that fails leaves the others' work in place. Unreachable is a matter of coverage; reached but wrong refuses
the whole payload before it touches the warehouse. Credentials that are refused end the run.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from assets.catalog.models import Catalog, Series
from assets.compute.calendar import Days, days, first_publication, released_on
from assets.progress import progress
from assets.raw.headway import Headway
from assets.raw.keeping import Ingested, Keeper
from assets.raw.rounds import Rounds
from assets.run_facts import RunFacts
from assets.sources.pacing import RetryBudget
from assets.sources.protocol import (
    CountsRequests,
    Known,
    KnowsReleases,
    Payload,
    PayloadRefused,
    SeriesUnknown,
    Source,
    SourceUnreachable,
)
from assets.sources.validate import keeps_its_vintages, validate
from assets.warehouse.fetches import fetch_days, known_series, last_fetches
from assets.warehouse.merge import Absence, ReleasedOn
from assets.warehouse.readers import missing_vintages

if TYPE_CHECKING:
    import duckdb


def ingest(
    con: duckdb.DuckDBPyConnection,
    selected: Sequence[Series],
    source: Source | None,
    today: dt.date,
    facts: RunFacts,
    catalog: Catalog,
    budget: RetryBudget | None = None,
) -> list[Ingested]:
    """Fetch and merge the selected series of one publisher; every one of them gets a result and a row in the books.

    `today` is the source's own day; `source` may be None when no selected series is of the run's profile. `budget` is
    what the run may still wait and ask again (None: not at all). What was fetched is written before long, also when the
    run is interrupted. Raises CredentialsRefused.
    """
    of_profile = [series for series in selected if facts.profile in series.profiles]
    absent = [Ingested(s, _fetch_id(facts, s), "not_in_profile") for s in selected if s not in of_profile]
    with Keeper(con, today, facts) as keeper:
        for one in absent:
            keeper.add(one)
        if source is not None and of_profile:
            reading = _Reading(con, source, today, facts, catalog)
            reading.announce(of_profile)
            budget = budget or RetryBudget(0.0)
            headway = Headway(f"raw/{of_profile[0].source}", len(of_profile), budget)
            for fetched in Rounds(source, reading.of, reading.not_asked, budget, headway).results(of_profile):
                keeper.add(fetched)
    return keeper.done


class _Reading:
    """One publisher asked for its series, one after the other."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        source: Source,
        today: dt.date,
        facts: RunFacts,
        catalog: Catalog,
    ) -> None:
        self._source, self._today, self._facts = source, today, facts
        self._con, self._catalog = con, catalog
        self._last, self._known, self._asked = last_fetches(con), known_series(con), fetch_days(con, today)

    def announce(self, series: Sequence[Series]) -> None:
        """A first load takes minutes where a night takes seconds."""
        fresh = sum(s.series_id not in self._known for s in series)
        if fresh and isinstance(self._source, KnowsReleases):  # one that serves vintages, request by request
            progress.info(
                f"raw/{series[0].source}: {fresh} of {len(series)} series for the first time, with all their vintages; "
                "an interrupted load goes on where it stopped"
            )

    def of(self, series: Series) -> Ingested:
        """What came of one series, with every request it took."""
        began, before = time.monotonic(), self._requests()
        fetched = self._fetch(series)
        asked = self._requests() - before
        fetched.requests = asked or (fetched.payload.requests if fetched.payload is not None else 0)
        fetched.seconds = time.monotonic() - began
        return fetched

    def not_asked(self, series: Series, why: str) -> Ingested:
        """A series whose publisher counts as down."""
        return Ingested(
            series, _fetch_id(self._facts, series), "unreachable", f"{series.series_id}: not asked: {why}"
        )

    def _fetch(self, series: Series) -> Ingested:
        fetch_id, known = _fetch_id(self._facts, series), self._known.get(series.series_id)
        try:
            payload = self._source.fetch(series, known)
            warnings = validate(payload, series, self._today, self._last.get(series.series_id))
            if known is not None and payload.is_complete:
                missing = missing_vintages(self._con, series.series_id, payload.observations, self._today)
                keeps_its_vintages(payload, *missing)
        except PayloadRefused as refusal:
            return Ingested(series, fetch_id, "refused", str(refusal), failure=refusal)
        except SourceUnreachable as failure:
            return Ingested(series, fetch_id, "unreachable", str(failure), failure=failure)
        except SeriesUnknown as unknown:
            return Ingested(series, fetch_id, "unreachable", str(unknown))
        done = Ingested(series, fetch_id, "unchanged", "; ".join(warnings) or None, payload)
        done.released_on = self._released_on(series, payload, known)
        done.absence = self._absence(series, payload, known)
        self._look_for_late(done, known)
        return done

    def _released_on(self, series: Series, payload: Payload, known: Known | None) -> ReleasedOn:
        """First publications that replace the lag rule: the source's calendar on a first load, our list before it."""
        listed = released_on(self._catalog.release_delays, series.series_id)
        older = _without_vintage(payload, series)
        if known is not None or not series.is_revisable or not len(older):
            return listed
        if not isinstance(self._source, KnowsReleases):
            return listed
        return {**self._source.publications(series, older), **listed}

    def _absence(self, series: Series, payload: Payload, known: Known | None) -> Absence | None:
        """Days of earlier fetches; None where a late first sight says nothing about the publication."""
        asked = self._asked.get(series.series_id)
        if asked is None or payload.is_bundled or series.posts_late:
            return None
        return Absence(*asked, newest_held=known.newest_observation if known is not None else None)

    def _look_for_late(self, done: Ingested, known: Known | None) -> None:
        assert done.payload is not None
        served = done.payload.observations["observation_date"]
        newest = [served.max().date()] if len(served) else []
        newest += [known.newest_observation] if known is not None and known.newest_observation else []
        if newest and isinstance(self._source, KnowsReleases):
            done.late = self._source.late_release(done.series, max(newest))

    def _requests(self) -> int:
        return self._source.requests if isinstance(self._source, CountsRequests) else 0


def _fetch_id(facts: RunFacts, series: Series) -> str:
    return f"{facts.run_id}/{series.series_id}"


def _without_vintage(payload: Payload, series: Series) -> Days:
    """Observations whose first publication lies before the first vintage served, or that came without any."""
    rows = payload.observations
    observation = days(rows["observation_date"].to_numpy())
    start = days(rows["realtime_start"].to_numpy())
    if not len(start) or np.isnat(start).all():
        return observation
    older = (start == np.nanmin(start)) & (first_publication(observation, series, {}) < np.nanmin(start))
    return observation[older]
