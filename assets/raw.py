"""The raw series: fetch, validate, merge into the archive, and record the result of every series, one asset each.

One multi-asset per publisher. Every selected series yields a result in every run, whatever its publisher does: a
missing output would skip everything downstream while the run stays green. A series that fails leaves the others' work
in place. Unreachable is a matter of coverage; a wrong payload is refused as a whole before it enters the warehouse. A
step fails at its end when a refused series blocks the publication: the steps downstream run all the same
(`pipelines/definitions.py`), and re-execution from failure fetches again. Refused credentials end the run.
"""

import datetime as dt
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, Self, get_args

import dagster as dg
import duckdb
import numpy as np

from assets.asset_specs import NIGHTLY_FRESHNESS, OWNERS, series_metadata
from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog, Series, SourceKey
from assets.compute.calendar import Days, days, first_publication, period_end, released_on
from assets.progress import SeriesProgress, progress
from assets.run_facts import RunFacts
from assets.sources.pacing import RetryBudget
from assets.sources.protocol import (
    Known,
    Payload,
    PayloadRefused,
    PlannedRelease,
    SeriesUnknown,
    Source,
    SourceUnreachable,
)
from assets.sources.registry import Sources
from assets.sources.validate import keeps_its_vintages, validate
from assets.warehouse.fetches import Ingested, fetch_id, known_series, record_fetches
from assets.warehouse.merge import ReleasedOn, merge_source
from assets.warehouse.readers import BLOCKING_ROLES, missing_vintages, observation_counts
from assets.warehouse.resource import Warehouse
from assets.warehouse.tables import transaction

_WRITE_AFTER_SECONDS = 0.5
_IN_A_ROW = 3
_SECONDS_A_SERIES = 60.0  # of the budget: FRED may spend all of it, a file with two series two minutes
_WAITS = (5.0, 10.0, 20.0)  # seconds before each probe of a pause; the last one repeats
_WAITS_NOTHING_LISTENS = (5.0, 10.0, 15.0)  # three probes in half a minute


def ingest(
    con: duckdb.DuckDBPyConnection,
    selected: Sequence[Series],
    source: Source | None,
    today: dt.date,
    facts: RunFacts,
    catalog: Catalog,
    budget: RetryBudget | None = None,
) -> Generator[Ingested]:
    """Fetch and merge the selected series of one publisher; each gets a result and a row in `raw.fetches`.

    Results come in the order in which they are final, each once its figures are written; a series that failed may be
    requested again after the others. `today` is the source's own day; `source` may be None when no selected series is
    in the run's profile. `budget` is the time for waits and retries (None: no retries). Fetched figures are written
    soon, also when the run is interrupted. Raises CredentialsRefused.
    """
    of_profile = [series.in_profile(facts.profile) for series in selected if facts.profile in series.profiles]
    with _Writer(con, today, facts) as writer:
        for series in selected:
            if facts.profile not in series.profiles:
                writer.add(Ingested(series, "not_in_profile"))
        if source is not None and of_profile:
            budget = budget or RetryBudget(0.0)
            for name, one, served in source.parts(of_profile):
                fetcher = _Fetcher(con, one, today, catalog)
                fetcher.announce(served)
                lines = SeriesProgress(name, len(served), lambda: budget.spent)
                for fetched in _Rounds(one, fetcher, budget, lines).results(served):
                    writer.add(fetched)
                    yield from writer.written()
    yield from writer.written()


class _Fetcher:
    """One publisher's series, fetched and validated one after the other."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, source: Source, today: dt.date, catalog: Catalog
    ) -> None:
        self._source, self._today = source, today
        self._con, self._catalog = con, catalog
        self._known = known_series(con, today)

    def announce(self, series: Sequence[Series]) -> None:
        """A first load takes minutes, a later run seconds."""
        fresh = sum(s.series_id not in self._known for s in series)
        if fresh and self._source.serves_vintages:
            progress.info(
                f"raw/{series[0].source}: {fresh} of {len(series)} series for the first time, with all their vintages; "
                "an interrupted load continues where it stopped"
            )

    def fetch(self, series: Series) -> Ingested:
        """The result of one series, with every request it took."""
        began, before = time.monotonic(), self._source.requests
        done = self._fetch(series)
        done.requests = self._source.requests - before
        done.seconds = time.monotonic() - began
        return done

    def skip(self, series: Series, why: str) -> Ingested:
        """A series that is not requested because its publisher is treated as down."""
        return Ingested(series, "unreachable", f"{series.series_id}: not requested: {why}")

    def _fetch(self, series: Series) -> Ingested:
        known = self._known.get(series.series_id)
        try:
            payload = self._source.fetch(series, known)
            warnings = validate(payload, series, self._today, known)
            if known is not None and payload.is_complete and payload.has_vintages:
                keeps_its_vintages(payload, *missing_vintages(self._con, payload, self._today))
        except PayloadRefused as refusal:
            return Ingested(series, "refused", str(refusal), failure=refusal)
        except SourceUnreachable as failure:
            return Ingested(series, "unreachable", str(failure), failure=failure)
        except SeriesUnknown as unknown:
            return Ingested(series, "unreachable", str(unknown))
        newest = _newest(payload, known)
        return Ingested(
            series, "unchanged", "; ".join(warnings) or None, payload,
            released_on=self._released_on(series, payload, known),
            known=known,
            late=self._source.late_release(series, newest) if newest else None,
            planned=self._planned_release(series, newest, known) if newest else None,
        )  # fmt: skip

    def _released_on(self, series: Series, payload: Payload, known: Known | None) -> ReleasedOn:
        """First publications that replace the lag rule: the catalogue's list; in a first load, the calendar too."""
        listed = released_on(self._catalog.release_delays, series.series_id)
        older = _without_vintage(payload, series)
        if known is not None or not series.is_revisable or not len(older):
            return listed
        return {**self._source.publications(series, older), **listed}

    def _planned_release(self, series: Series, newest: dt.date, known: Known | None) -> PlannedRelease | None:
        """Of the inputs of the label; None where the plan requested a few days ago still is for the next figure."""
        if series.role != "condition" or series.is_step or series.frequency == "D":
            return None
        if known is not None and known.planned is not None and known.planned > newest:
            return None
        return self._source.planned_release(series, newest)


def _newest(payload: Payload, known: Known | None) -> dt.date | None:
    """The newest observation that was served, or is in the archive."""
    served = payload.observations["observation_date"]
    found = [served.max().date()] if len(served) else []
    found += [known.newest_observation] if known is not None and known.newest_observation else []
    return max(found, default=None)


class _Rounds:
    """The order of one publisher's requests: pauses while it does not respond, and a second pass over what failed.

    Three failures in a row mean that the publisher is in trouble, not a series. Then the run waits and probes it until
    it responds, and goes on with the series that failed. All waits count against the run's retry budget, of which no
    publisher may spend more than a minute a series. When that is spent, the remaining series are not requested.
    """

    def __init__(self, source: Source, fetcher: _Fetcher, budget: RetryBudget, lines: SeriesProgress) -> None:
        self._source, self._fetcher, self._budget, self._lines = source, fetcher, budget, lines
        self._failed: dict[str, Ingested] = {}
        self._down: str | None = None
        self._until = budget.spent + _SECONDS_A_SERIES * lines.total
        self._responds = False  # whether the last request brought its series
        self._wait = 0  # position in _WAITS; a pause goes on where the last one stopped, until a series comes

    def results(self, series: Sequence[Series]) -> Iterator[Ingested]:
        """The result of every series, each once, as soon as it is final."""
        yield from self._pass(series)
        again = [one.series for one in self._failed.values()]
        if again and self._down is None and self._left > 0.0:
            with self._budget.spending():
                progress.info(f"{self._lines.name}: {len(again)} series failed and are requested again")
                if self._responds or self._is_back(self._failed[again[-1].series_id]):
                    yield from self._pass(again)
        yield from self._failed.values()

    def _pass(self, series: Sequence[Series]) -> Iterator[Ingested]:
        waiting, row, repeated = deque(series), list[Series](), set[str]()
        while waiting:
            one = waiting.popleft()
            result = self._attempt(one)
            if not result.may_pass:
                self._wait, row = 0, []
                yield result
                continue
            row.append(one)
            if len(row) < _IN_A_ROW:
                continue
            if not self._is_back(result):
                for other in waiting:
                    self._failed.setdefault(other.series_id, self._fetcher.skip(other, self._down or ""))
                return
            again = [failed for failed in row if failed.series_id not in repeated]
            repeated.update(failed.series_id for failed in again)
            waiting.extendleft(reversed(again))
            row = []

    def _attempt(self, series: Series) -> Ingested:
        """The result of a series, with what earlier attempts took; kept in `_failed` when a retry may help."""
        before = self._failed.pop(series.series_id, None)
        result = self._fetcher.fetch(series)
        requests = result.requests
        if before is not None:
            result.requests += before.requests
            result.seconds += before.seconds
        self._responds = not result.may_pass
        if result.may_pass:
            self._failed[series.series_id] = result
        elif result.status != "unreachable":
            self._budget.has_answered = True
        self._lines.step(requests, 0 if result.may_pass else 1)
        return result

    def _is_back(self, failed: Ingested) -> bool:
        """Wait until the publisher responds; False when it is treated as down, or the budget is spent first."""
        failure, refusals = failed.failure, 0
        with self._budget.spending():
            while True:
                self._budget.wait(self._next_wait(failure, refusals))
                try:
                    self._source.probe()
                except SourceUnreachable as again:
                    failure = again
                    refusals = refusals + 1 if again.nothing_listens else 0
                else:
                    progress.info(f"{self._lines.name}: responds again, continuing where it stopped")
                    return True
                if refusals and (refusals >= len(_WAITS_NOTHING_LISTENS) or self._is_outage):
                    self._budget.has_refused = True
                    return self._treat_as_down(f"nothing listens there ({failure})")
                if self._left <= 0.0:
                    return self._treat_as_down(f"no response, and the time for retries is spent ({failure})")

    @property
    def _is_outage(self) -> bool:
        """Whether another publisher is down and none has responded: the network is the likely cause."""
        return self._budget.has_refused and not self._budget.has_answered

    @property
    def _left(self) -> float:
        return min(self._budget.left, max(self._until - self._budget.spent, 0.0))

    def _next_wait(self, failure: Exception | None, refusals: int) -> float:
        """Seconds before the next probe; logged."""
        if isinstance(failure, SourceUnreachable) and failure.nothing_listens:
            wait = 0.0 if self._is_outage else _WAITS_NOTHING_LISTENS[refusals]
        else:
            wait = _WAITS[min(self._wait, len(_WAITS) - 1)]
            self._wait += 1
        requested = failure.retry_after if isinstance(failure, SourceUnreachable) else None
        wait = min(max(wait, requested or 0.0), self._left)
        if wait > 0.0:
            progress.info(
                f"{self._lines.name}: does not respond ({failure}); next try in {wait:.0f} s, "
                f"{self._left:.0f} s left for retries"
            )
        return wait

    def _treat_as_down(self, why: str) -> bool:
        self._down = why
        progress.info(f"{self._lines.name}: treated as down in this run: {why}")
        return False


class _Writer:
    """Writes results to the archive and `raw.fetches` together; leaving it, also by an exception, writes the rest.

    Results that took no time to fetch are written in one transaction; those that took a while, at once.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, today: dt.date, facts: RunFacts) -> None:
        self._con, self._today, self._facts = con, today, facts
        self._waiting: list[Ingested] = []
        self._written: list[Ingested] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def add(self, fetched: Ingested) -> None:
        """One more result."""
        self._waiting.append(fetched)
        if sum(one.seconds for one in self._waiting) >= _WRITE_AFTER_SECONDS:
            self._write()

    def written(self) -> list[Ingested]:
        """What was written since this was last asked."""
        written, self._written = self._written, []
        return written

    def _write(self) -> None:
        results, self._waiting = self._waiting, []
        if not results:
            return
        payloads = [
            (one.series, one.payload, fetch_id(one.series, self._facts))
            for one in results
            if one.payload is not None and len(one.payload.observations)
        ]
        with transaction(self._con):
            counts = merge_source(
                self._con,
                payloads,
                run_date=self._today,
                captured_at=self._facts.started_at,
                released_on={one.series.series_id: one.released_on for one in results},
                known={one.series.series_id: one.known for one in results if one.known is not None},
            )
            stored = observation_counts(self._con, [one.series.series_id for one in results])
            for one in results:
                one.counts = counts.get(one.series.series_id, one.counts)
                one.holding = stored.get(one.series.series_id)
                one.message = "; ".join(filter(None, (one.message, *one.counts.warnings))) or None
                if one.counts.appended:
                    one.status = "new"
                elif one.payload is not None and _is_stale(one, self._facts.run_date):
                    one.status = "stale"
            record_fetches(self._con, results, self._facts, self._today)
        self._written.extend(results)


def _is_stale(done: Ingested, run_date: dt.date) -> bool:
    if done.series.is_step or done.holding is None or done.holding.last_figure is None:
        return False
    end = period_end(days(done.holding.last_figure), done.series.frequency)[0]
    return bool((np.datetime64(run_date, "D") - end) > np.timedelta64(done.series.staleness_limit_days, "D"))


def _without_vintage(payload: Payload, series: Series) -> Days:
    """Observations first published before the first vintage served, or served without any."""
    rows = payload.observations
    observation = days(rows["observation_date"].to_numpy())
    start = days(rows["realtime_start"].to_numpy())
    if not len(start) or np.isnat(start).all():
        return observation
    older = (start == np.nanmin(start)) & (first_publication(observation, series, {}) < np.nanmin(start))
    return observation[older]


# --- as Dagster assets ---


def _spec(series: Series) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=dg.AssetKey(list(series.asset_key)),
        group_name=f"raw_{series.source}",
        description=f"{series.title} ({series.unit}, {series.frequency}). {series.publisher}.",
        metadata=series_metadata(series),
        kinds={"duckdb", series.source},
        owners=[OWNERS["raw"]],
        tags={"layer": "raw", "rights": series.rights, "role": series.role},
        freshness_policy=NIGHTLY_FRESHNESS,
    )


def publisher_assets(source: SourceKey) -> dg.AssetsDefinition:
    """The multi-asset of one publisher."""
    by_key = {dg.AssetKey(list(s.asset_key)): s for s in load_catalog().by_source(source)}

    @dg.multi_asset(
        name=f"raw_{source}", specs=[_spec(series) for series in by_key.values()], can_subset=True
    )
    def publisher(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        sources: dg.ResourceParam[Sources],
        facts: dg.ResourceParam[RunFacts],
    ) -> Iterator[dg.MaterializeResult]:
        selected = [series for key, series in by_key.items() if key in context.selected_asset_keys]
        is_used = any(facts.profile in series.profiles for series in selected)
        done = []
        with warehouse.cursor() as con:
            results = ingest(
                con,
                selected,
                sources.of(source) if is_used else None,
                sources.last_day(facts.started_at),
                facts,
                load_catalog(),
                sources.budget,
            )
            with closing(results):  # an interrupted run writes what was fetched while the cursor is open
                for one in results:
                    done.append(one)
                    yield _result(one, facts)
        progress.info(f"raw/{source}: {_summary(done)}")
        refused = [one for one in done if one.status == "refused" and one.series.role in BLOCKING_ROLES]
        if refused:
            raise dg.Failure(
                f"blocks the publication: {'; '.join(str(one.message) for one in refused)}. All other series are "
                "stored. Once it is corrected, re-execute this run from failure, or on a later day the complete job.",
                allow_retries=False,
            )

    return publisher


def _summary(done: list[Ingested]) -> str:
    """Counts for the progress line."""
    of_profile = [one for one in done if one.status != "not_in_profile"]
    if not of_profile:
        return "not in this profile"
    counts = [
        f"{sum(one.counts.new for one in done)} new",
        f"{sum(one.counts.changed for one in done)} changed",
    ]
    for status in ("unreachable", "refused"):
        if number := sum(one.status == status for one in done):
            counts.append(f"{number} {status}")
    if late := sum(one.late is not None for one in done):
        counts.append(f"{late} late")
    return f"{len(of_profile)} series, rows: {', '.join(counts)}"


def _result(done: Ingested, facts: RunFacts) -> dg.MaterializeResult:
    stored = done.holding
    rows = stored.vintages if stored else 0
    metadata: dict[str, Any] = {
        "profile": facts.profile,
        "fetch_status": done.status,
        "rows_held": rows,
        **done.counts.as_columns(),
        "requests": done.requests,
        "seconds": round(done.seconds, 3),
        "dagster/row_count": rows,
    }
    if stored is not None:
        metadata["last_observation"] = stored.last_observation.isoformat()
        if stored.last_value is not None and done.series.rights != "restricted":
            metadata["last_value"] = stored.last_value
    if done.late is not None:
        metadata["late_release"] = str(done.late)
    if done.message:
        metadata["message"] = done.message
    return dg.MaterializeResult(asset_key=dg.AssetKey(list(done.series.asset_key)), metadata=metadata)


RAW_ASSETS = [publisher_assets(source) for source in get_args(SourceKey)]
