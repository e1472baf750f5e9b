"""The published file and its Parquet over HTTP, read by DuckDB 1.5 with httpfs: what the analysts' page shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.publish.staged_file import export_tables
from assets.warehouse.connection import CONFIG
from tests.integration.older_duckdb import installed
from tests.integration.test_readme import ROOT, blocks

VERSION = "1.5.5"
# Three times from nothing: the fastest counts, since other programs use the machine too.
ASKED = """
import duckdb, json, sys, time
extension, queries = sys.argv[1], json.load(sys.stdin)
for attempt in range(3):
    con, answers = duckdb.connect(config={"allow_unsigned_extensions": "true"}), []
    con.execute(f"LOAD '{extension}'")
    for query in queries:
        started = time.perf_counter()
        rows = con.execute(query).fetchall()
        answers.append([len(rows), time.perf_counter() - started])
    con.close()
    print(json.dumps(answers), flush=True)
"""


class Ranges(ThreadingHTTPServer):
    """A plain file server that answers range requests. `sent`: bytes of bodies, by file."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.sent: list[tuple[str, int]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Ranges

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

    def _answer(self, *, with_body: bool) -> None:
        path = self.server.folder / self.path.lstrip("/")
        if not path.is_file():  # DuckDB also asks for a WAL
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = path.read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, last = (
            (int(asked[1]), min(int(asked[2]), len(content) - 1)) if asked else (0, len(content) - 1)
        )
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.end_headers()
        if with_body:
            self.wfile.write(content[first : last + 1])
            self.server.sent.append((Path(self.path).name, last - first + 1))


@contextmanager
def served(folder: Path) -> Iterator[Ranges]:
    with Ranges(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    for name in ("duckdb", "duckdb-extension-httpfs"):
        installed(f"{name}=={VERSION}", folder)
    return folder


@pytest.fixture(scope="module")
def folder(made_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published folder: the file and its Parquet."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "regime.duckdb").write_bytes(made_release.read_bytes())
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        export_tables(con, folder, load_catalog())
    return folder


def asked(packages: Path, server: Ranges, queries: list[str]) -> tuple[list[int], float, int]:
    """Rows of each query, seconds of the fastest of three attempts, and bytes sent in one."""
    extension = next(packages.rglob("httpfs.duckdb_extension"))
    server.sent.clear()
    done = subprocess.run(
        [sys.executable, "-c", ASKED, str(extension)], input=json.dumps(queries),
        env={**os.environ, "PYTHONPATH": str(packages)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    attempts = [json.loads(line) for line in done.stdout.splitlines()]
    seconds = min(sum(answer[1] for answer in attempt) for attempt in attempts)
    return (
        [answer[0] for answer in attempts[0]],
        seconds,
        sum(size for _, size in server.sent) // len(attempts),
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_the_page_shows_reads_the_file_and_its_parquet(packages: Path, folder: Path) -> None:
    (block,) = (block for block in blocks(ROOT / "docs" / "analysts.md", "sql") if "https://" in block)
    shown = [query for query in block.split(";") if query.strip() and "httpfs" not in query]
    with served(folder) as server:
        root = f"http://127.0.0.1:{server.server_address[1]}"
        rows, _, size = asked(
            packages, server, [q.replace("https://example.org/published", root) for q in shown]
        )
        assert rows[1:] == [1, 501, 501] and size < 2_000_000
        assert {name for name, _ in server.sent} == {"regime.duckdb", "monthly.parquet"}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "queries",
    [
        ["ATTACH '{root}/regime.duckdb' AS pub (TYPE duckdb, READ_ONLY)", "FROM pub.regime_current"],
        ["ATTACH '{root}/regime.duckdb' AS pub (TYPE duckdb, READ_ONLY)", "FROM pub.start_here"],
        ["FROM '{root}/parquet/monthly.parquet'"],
    ],
)
def test_a_first_query_reads_at_most_a_megabyte_in_half_a_second(
    packages: Path, folder: Path, queries: list[str]
) -> None:
    with served(folder) as server:
        root = f"http://127.0.0.1:{server.server_address[1]}"
        rows, seconds, size = asked(packages, server, [query.format(root=root) for query in queries])
    assert rows[-1] >= 1 and size <= 1_000_000 and seconds <= 0.5
    assert size < (folder / "regime.duckdb").stat().st_size / 4  # not the whole file
