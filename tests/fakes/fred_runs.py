"""A FRED client without waits, one run's fetch of FRED into an archive without Dagster, and runs of three series."""

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
from assets.raw import ingest
from assets.run_facts import RunFacts
from assets.sources.fred import FredSource
from assets.sources.fred_client import FredClient
from assets.sources.http import Limits
from assets.sources.pacing import Clock, RetryBudget, RetryPolicy
from assets.sources.protocol import Source
from assets.warehouse.fetches import Ingested
from tests.fakes.fred_server import FredServer
from tests.fakes.fred_world import KEY, World, add_releases, open_value, revised_world

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


NIGHT = dt.datetime(2026, 6, 2, 22, tzinfo=dt.UTC)
ALWAYS = 1_000_000
IDS = ("UNRATE", "ICSA", "DGS10")  # vintages in one answer; in several windows; none
INFO, OBSERVATIONS = "/fred/series?series_id=ICSA", "series/observations?series_id=ICSA"
DATES, RELEASE, CALENDAR = (
    "series/vintagedates?series_id=ICSA",
    "series/release?series_id=ICSA",
    "release/dates?",
)
STAGES = (INFO, OBSERVATIONS, DATES, RELEASE, CALENDAR)
# Where a night may meet a fault: what it asks FRED of ICSA, besides its calendar.
ASKED_IN = {
    "first load": (INFO, OBSERVATIONS, DATES),
    "nightly": (INFO, OBSERVATIONS),
    "weekly": (INFO, OBSERVATIONS, DATES),
}
SERIES = [load_catalog().series[series_id] for series_id in IDS]


@dataclass
class Case:
    """A server, an archive, and runs between them."""

    server: FredServer
    con: duckdb.DuckDBPyConnection
    naps: Naps
    attempts: int = 6
    limits: Limits = CALM
    budget: RetryBudget | None = None

    def run(self, hours: int = 0) -> dict[str, Ingested]:
        night = NIGHT + dt.timedelta(hours=hours)
        self.server.world.today = night.date()
        source = quick_source(
            self.server, naps=self.naps, attempts=self.attempts, limits=self.limits, budget=self.budget
        )
        done = fred_run(self.con, source, night, SERIES, self.budget)
        return {one.series.series_id: one for one in done}

    def until(self, when: str) -> int:
        """Everything before a night of that kind, on which ICSA and UNRATE have a new figure; hours since `NIGHT`."""
        if when == "first load":
            return 0
        self.run()
        for series_id, newest in (("ICSA", "2026-05-23"), ("UNRATE", "2026-04-01")):
            one = self.server.world.series[series_id]
            one.revise("2026-06-02", {newest: open_value(one, newest) + 1})
        return 1 if when == "nightly" else 24 * 7

    def lost(self, before: list[tuple]) -> set[tuple]:
        """Rows of an earlier `rows()` that are no longer held as they were."""
        return set(before) - set(self.rows())

    def rows(self) -> list[tuple]:
        """The archive, row for row."""
        return self.con.execute("SELECT * REPLACE (value::VARCHAR AS value) FROM raw.vintages").fetchall()

    def held(self) -> dict[str, int]:
        rows = self.con.execute("SELECT series_id, count(*) FROM raw.vintages GROUP BY ALL").fetchall()
        return dict(rows)

    def fetches(self) -> list[tuple]:
        return self.con.execute("SELECT * FROM raw.fetches").fetchall()


def three_series() -> World:
    """Three series since 2021, whose vintages are on record since 2022: the years before are dated by the calendar."""
    whole = revised_world(NIGHT.date())
    world = World(NIGHT.date(), {series_id: whole.series[series_id] for series_id in IDS})
    for series_id, one in world.series.items():
        one.truncate("2021-01-01")
        if series_id != "DGS10":
            one.recorded_since("2022-01-03")
    add_releases(world)
    return world
