"""Runs of the publishers of files, from their servers into the archive and `raw.fetches`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import SourceKey
from assets.raw.ingest import ingest
from assets.run_facts import RunFacts
from assets.sources.file_source import FileSource
from assets.sources.registry import Access, Sources
from assets.warehouse.fetches import Ingested
from tests.builders import an_archive
from tests.fakes.publishers import HTML, PUBLISHERS
from tests.fakes.server import Loopback, Served, running

FIRST = dt.datetime(2026, 6, 15, 1, 30, tzinfo=dt.UTC)
CONDITIONAL = {"fed_board", "shiller", "world_bank"}
EACH = pytest.mark.parametrize("key", PUBLISHERS)


def run(con: duckdb.DuckDBPyConnection, key: SourceKey, server: Loopback, number: int) -> dict[str, Ingested]:
    """The results of one run by series; requests are counted from zero."""
    server.requests.clear()
    started = FIRST + dt.timedelta(days=number)
    facts = RunFacts(f"run-{number}", "live", started.date(), started, Path(), Path(), "test")
    sources = Sources(Access("live", Path(), urls={key: server.root + PUBLISHERS[key].path}))
    catalog, source = load_catalog(), sources.of(key)
    assert isinstance(source, FileSource)
    source.now = lambda: started  # the weekly refresh counts on this clock
    done = list(ingest(con, catalog.by_source(key), source, sources.last_day(started), facts, catalog))
    return {result.series.series_id: result for result in done}


def stored_rows(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return con.execute("SELECT * FROM raw.vintages ORDER BY ALL").fetchall()


@EACH
def test_unchanged_and_broken_runs_leave_the_archive_as_it_was(key: SourceKey) -> None:
    path, table = PUBLISHERS[key].path, PUBLISHERS[key].table_path
    with an_archive() as con, running(PUBLISHERS[key].serve()) as server:
        assert {done.status for done in run(con, key, server, 0).values()} == {"new"}
        requests, stored, good = len(server.requests), stored_rows(con), server.routes[table]

        unchanged = run(con, key, server, 1).values()
        assert {done.status for done in unchanged} <= {"unchanged", "stale"}
        assert len(server.requests) == requests
        sent_again = all(done.payload is not None and done.payload.is_complete for done in unchanged)
        assert sent_again == (key not in CONDITIONAL)
        written = con.execute("SELECT run_id, sum(requests) FROM raw.fetches GROUP BY 1 ORDER BY 1")
        assert written.fetchall() == [("run-0", requests), ("run-1", requests)]

        server.routes[table] = Served(HTML)
        assert {done.status for done in run(con, key, server, 2).values()} == {"refused"}
        server.routes[table] = Served(b"")
        assert {done.status for done in run(con, key, server, 3).values()} == {"refused"}
        server.routes.clear()
        assert {done.status for done in run(con, key, server, 4).values()} == {"unreachable"}
        server.routes[path] = Served(f'<a href="{table}">the file</a>'.encode(), "text/html")
        server.routes[table] = good
        assert {done.status for done in run(con, key, server, 5).values()} <= {"unchanged", "stale"}
        assert stored_rows(con) == stored
