"""REGIME_PREFER=publishers: FRED is asked only for what its publisher does not serve as well."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import duckdb
import pytest

from assets.catalog.loader import PROJECT_ROOT
from assets.raw import Ingested
from assets.sources.registry import Access, Sources
from pipelines.settings import Secret
from tests.builders import a_series, an_archive
from tests.fakes.all_publishers import END, label_world
from tests.fakes.fred_runs import fred_run
from tests.fakes.fred_server import FredServer, fred_server
from tests.fakes.fred_world import KEY
from tests.fakes.public_publishers import public_publishers

FROM_PUBLISHERS = ("UNRATE", "INDPRO", "GDP", "WALCL", "DGS10")
FROM_FRED = ("ICSA", "MTSDS133FMS", "BAA10Y")  # late or short at their publisher; of no publisher
FIRST_RUN = dt.datetime.combine(END, dt.time(22), dt.UTC)


def run(con: duckdb.DuckDBPyConnection, access: Access, week: int) -> dict[str, Ingested]:
    """One run of the profile live, by series."""
    selected = [a_series(name) for name in (*FROM_PUBLISHERS, *FROM_FRED)]
    source, at = Sources(access).of("fred"), FIRST_RUN + dt.timedelta(weeks=week)
    return {one.series.series_id: one for one in fred_run(con, source, at, selected)}


def asked(server: FredServer) -> set[str]:
    """Series FRED was asked for, which is forgotten."""
    found = {arguments["series_id"] for _, _, arguments in server.asked if "series_id" in arguments}
    server.asked.clear()
    return found


def held(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    rows = con.execute("SELECT series_id, vintage_source, count(*) FROM raw.vintages GROUP BY ALL").fetchall()
    return {(series_id, source): count for series_id, source, count in rows}


def test_fred_is_asked_for_the_rest_and_neither_source_takes_back_the_others_vintages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.fakes.public_publishers._PADDING", {})
    with fred_server(label_world(END)) as server, public_publishers(END) as publishers, an_archive() as con:
        preferring = Access(
            "live",
            PROJECT_ROOT,
            Secret(KEY),
            server.url,
            1000.0,
            publishers.urls,
            0.0,
            prefers_publishers=True,
        )
        first = run(con, preferring, 0)
        assert {name: one.status for name, one in first.items()} == dict.fromkeys(first, "new")
        assert asked(server) == set(FROM_FRED)
        assert not [name for name in FROM_PUBLISHERS if (name, "alfred") in held(con)]

        run(con, replace(preferring, prefers_publishers=False), 1)
        assert asked(server) == set(FROM_PUBLISHERS + FROM_FRED)
        with_fred = held(con)
        assert with_fred["UNRATE", "alfred"] > 500 and with_fred["GDP", "alfred"] > 100

        again = run(con, preferring, 2)
        assert asked(server) == set(FROM_FRED)
        assert held(con) == with_fred
        assert {name: again[name].status for name in FROM_PUBLISHERS if name != "DGS10"} == {
            "UNRATE": "unchanged", "INDPRO": "unchanged", "GDP": "unchanged", "WALCL": "unchanged",
        }  # fmt: skip
