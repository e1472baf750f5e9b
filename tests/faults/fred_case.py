"""A loopback FRED with three small series, an archive, and runs between them.

Belongs here: what tests of FRED's faults share. Does not belong here: expectations.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb

from assets.catalog.loader import load_catalog
from assets.sources.http import Limits
from assets.sources.pacing import RetryBudget
from assets.warehouse.fetches import Ingested
from tests.fakes.fred_runs import CALM, Naps, fred_run, quick_source
from tests.fakes.fred_server import FredServer
from tests.fakes.fred_world import World, add_releases, open_value, revised_world

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
