"""A FRED client without waits, and one run's fetch of FRED into an archive, without Dagster."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.raw.ingest import ingest
from assets.run_facts import RunFacts
from assets.sources.fred import FredSource
from assets.sources.fred_client import FredClient
from assets.sources.http import Limits
from assets.sources.pacing import Clock, RetryBudget, RetryPolicy
from assets.sources.protocol import Source
from assets.warehouse.fetches import Ingested
from tests.fakes.fred_server import FredServer
from tests.fakes.fred_world import KEY

CALM = Limits(silence=10.0, total=20.0)  # the machine may be busy with something else
QUICK = Limits(silence=0.4, total=0.8)  # for servers that are silent on purpose


@dataclass
class Naps:
    """A clock that does not wait but remembers how long it was asked to, and moves on by it.

    `until` maps a moment (seconds slept in all) to what happens then, once: a server that comes back.
    """

    slept: list[float] = field(default_factory=list)
    until: dict[float, Callable[[], None]] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: time.monotonic() + sum(self.slept), self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        for moment in [moment for moment in self.until if moment <= sum(self.slept)]:
            self.until.pop(moment)()


def quick_client(
    server: FredServer,
    naps: Naps | None = None,
    key: str = KEY,
    attempts: int = 6,
    limits: Limits = CALM,
    budget: RetryBudget | None = None,
) -> FredClient:
    """A client without waits."""
    retries = RetryPolicy(attempts, clock=(naps or Naps()).clock, budget=budget)
    return FredClient(key, server.url, requests_per_second=1000, retries=retries, limits=limits)


def quick_source(
    server: FredServer,
    now: Callable[[], dt.datetime] | None = None,
    naps: Naps | None = None,
    attempts: int = 6,
    limits: Limits = CALM,
    budget: RetryBudget | None = None,
) -> FredSource:
    """FRED as a source over such a client; its day is the server's."""
    day = dt.datetime.combine(server.world.today, dt.time(22), dt.UTC)
    client = quick_client(server, naps, attempts=attempts, limits=limits, budget=budget)
    return FredSource(client, now or (lambda: day))


def live_facts(started_at: dt.datetime, run_id: str | None = None) -> RunFacts:
    """Facts of a live run that began at a moment (aware)."""
    run_id = run_id or f"run-{started_at:%Y%m%d%H%M}"
    return RunFacts(run_id, "live", started_at.date(), started_at, Path(), Path("regime.duckdb"), "test")


def fred_run(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    started_at: dt.datetime,
    series: Sequence[Series] | None = None,
    budget: RetryBudget | None = None,
) -> list[Ingested]:
    """All live series of FRED, or some."""
    catalog = load_catalog()
    selected = (
        [s for s in catalog.in_profile("live") if s.source == "fred"] if series is None else list(series)
    )
    facts = live_facts(started_at)
    return list(ingest(con, selected, source, started_at.date(), facts, catalog, budget))


def statuses(done: Sequence[Ingested]) -> Counter[str]:
    """How many series have each status."""
    return Counter(one.status for one in done)
