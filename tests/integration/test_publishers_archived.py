"""LiveRuns of the four publishers beside FRED, from their servers into the archive and the book of fetches."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import SourceKey
from assets.raw.ingest import Ingested, ingest
from assets.run_facts import RunFacts
from assets.sources.file_source import FileSource
from assets.sources.registry import Access, Sources
from tests.builders import an_archive
from tests.fakes.publishers import HTML, PUBLISHERS
from tests.fakes.server import Loopback, Served, running

FIRST = dt.datetime(2026, 6, 15, 1, 30, tzinfo=dt.UTC)
CONDITIONAL = {"fed_board", "shiller", "world_bank"}
EACH = pytest.mark.parametrize("key", PUBLISHERS)


def run(con: duckdb.DuckDBPyConnection, key: SourceKey, server: Loopback, number: int) -> dict[str, Ingested]:
    """One night's results by series; what was asked is counted anew."""
    server.requests.clear()
    started = FIRST + dt.timedelta(days=number)
    facts = RunFacts(f"night-{number}", "live", started.date(), started, Path(), Path(), "test")
    sources = Sources(Access("live", Path(), urls={key: server.root + PUBLISHERS[key].path}))
    catalog, source = load_catalog(), sources.of(key)
    assert isinstance(source, FileSource)
    source.now = lambda: started  # the week is counted on the nights' own clock
    done = ingest(con, catalog.by_source(key), source, sources.last_day(started), facts, catalog)
    return {result.series.series_id: result for result in done}


def rows_held(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return con.execute("SELECT * FROM raw.vintages ORDER BY ALL").fetchall()


@EACH
def test_first_night_keeps_every_series_and_a_quiet_one_asks_little(key: SourceKey) -> None:
    with an_archive() as con, running(PUBLISHERS[key].serve()) as server:
        first = run(con, key, server, 0)
        assert {done.status for done in first.values()} == {"new"}
        asked, held = len(server.requests), rows_held(con)
        second = run(con, key, server, 1)
        assert {done.status for done in second.values()} <= {"unchanged", "stale"}
        assert rows_held(con) == held
        assert len(server.requests) == asked
        sent_again = all(done.payload is not None and done.payload.is_complete for done in second.values())
        assert sent_again == (key not in CONDITIONAL)
        written = con.execute(
            "SELECT run_id, sum(requests) FROM raw.fetches GROUP BY 1 ORDER BY 1"
        ).fetchall()
        assert written == [("night-0", asked), ("night-1", asked)]


@EACH
def test_broken_night_is_refused_and_the_next_one_is_as_if_it_had_not_been(key: SourceKey) -> None:
    with an_archive() as con, running(PUBLISHERS[key].serve()) as server:
        run(con, key, server, 0)
        held, good = rows_held(con), server.routes[PUBLISHERS[key].table_path]
        server.routes[PUBLISHERS[key].table_path] = Served(HTML)
        assert {done.status for done in run(con, key, server, 1).values()} == {"refused"}
        server.routes[PUBLISHERS[key].table_path] = Served(b"", headers={"Location": "/nowhere"})
        assert {done.status for done in run(con, key, server, 2).values()} == {"refused"}
        server.routes.clear()
        assert {done.status for done in run(con, key, server, 3).values()} == {"unreachable"}
        assert rows_held(con) == held
        link = f'<a href="{PUBLISHERS[key].table_path}">the file</a>'
        server.routes[PUBLISHERS[key].path] = Served(link.encode(), "text/html")
        server.routes[PUBLISHERS[key].table_path] = good
        assert {done.status for done in run(con, key, server, 4).values()} <= {"unchanged", "stale"}
        assert rows_held(con) == held
