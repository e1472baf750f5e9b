"""What the pace costs: wall time of a night over 80 series at the rate FRED allows, against requests over the rate."""

from __future__ import annotations

import datetime as dt
import time
from itertools import pairwise

import pytest

from assets.sources.fred import FredSource
from assets.sources.fred_client import REQUESTS_PER_SECOND, FredClient
from tests.benchmarks.report import record
from tests.builders import a_series, an_archive
from tests.fakes.fred_runs import fred_run, quick_source, statuses
from tests.fakes.fred_server import fred_server
from tests.fakes.fred_world import KEY, World, published

NIGHT = dt.datetime(2026, 6, 2, 22, tzinfo=dt.UTC)
SERIES = [a_series().model_copy(update={"series_id": f"S{n}"}) for n in range(80)]
CHANGED = ("S7", "S40", "S79")


@pytest.mark.bench
@pytest.mark.timeout(300)
def test_a_night_over_eighty_series_takes_what_its_requests_take() -> None:
    """Fetching, judging and writing included; three series have a new figure."""
    rows = [
        (f"{year}-{month:02}-01", f"{year}-{month:02}-20", 4.0)
        for year in range(1990, 2027)
        for month in range(1, 13)
        if (year, month) < (2026, 5)
    ]
    world = World(NIGHT.date(), {one.series_id: published(one.series_id, rows) for one in SERIES})
    with fred_server(world) as server, an_archive() as con:
        fred_run(con, quick_source(server), NIGHT, SERIES)
        for series_id in CHANGED:
            world.series[series_id].revise("2026-06-02", {"2026-05-01": 4.1})
        server.asked.clear()
        client = FredClient(KEY, server.url)
        began = time.monotonic()
        done = fred_run(con, FredSource(client, lambda: NIGHT), NIGHT + dt.timedelta(hours=1), SERIES)
        took = time.monotonic() - began
        starts = [moment for moment, _, _ in server.asked]
    expected = client.requests / REQUESTS_PER_SECOND
    share = took / expected
    record(
        "FRED at the default pace",
        "A nightly run over 80 series, 3 of them changed, against a server on the same machine: "
        "requests, checks, writes.",
        ("requests", "seconds", f"of requests / {REQUESTS_PER_SECOND}"),
        [(client.requests, took, share)],
    )
    assert statuses(done)["new"] == len(CHANGED)
    assert client.requests == len(SERIES) + len(CHANGED) == len(starts)
    assert 0.9 <= share <= 1.1
    gaps = [after - before for before, after in pairwise(starts)]
    assert sum(gap < 0.5 for gap in gaps) <= len(gaps) * 0.02, "a burst"
