"""What the pace costs: wall time of 80 series at the rate FRED allows, against requests divided by the rate."""

from __future__ import annotations

import datetime as dt
import time
from itertools import pairwise

import pytest

from assets.sources.fred_client import REQUESTS_PER_SECOND, FredClient
from tests.loopback.fred_server import fred_server
from tests.loopback.world import KEY, World, published


@pytest.mark.bench
@pytest.mark.timeout(300)
def test_eighty_series_take_what_their_requests_take() -> None:
    rows = [
        (f"{year}-{month:02}-01", f"{year}-{month:02}-20", 4.0)
        for year in range(1990, 2026)
        for month in range(1, 13)
    ]
    world = World(dt.date(2026, 6, 2), {f"S{n}": published(f"S{n}", rows) for n in range(80)})
    with fred_server(world) as server:
        client = FredClient(KEY, server.url)
        began = time.monotonic()
        for series_id in world.series:
            client.series_info(series_id)
            client.all_releases(series_id)
        took = time.monotonic() - began
        starts = [moment for moment, _, _ in server.asked]
    gaps = [after - before for before, after in pairwise(starts)]
    expected = client.requests / REQUESTS_PER_SECOND
    print(
        f"\n{client.requests} requests in {took:.1f} s, {took / expected:.3f} of requests / {REQUESTS_PER_SECOND}"
    )
    assert client.requests == 160
    assert 0.9 * expected <= took <= 1.1 * expected
    assert sum(gap < 0.5 for gap in gaps) <= len(gaps) * 0.02, "a burst"
