"""The published file and its Parquet over HTTP, read by DuckDB 1.5 with httpfs: what the analysts' page shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.publish.staged_file import export_tables
from assets.warehouse.connection import CONFIG
from tests.fakes.server import Loopback, Served, running
from tests.integration.older_duckdb import installed
from tests.integration.test_page_blocks import blocks
from tests.nightly_run import ROOT

VERSION = "1.5.5"
ASKED = """
import duckdb, json, sys
con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
con.execute(f"LOAD '{sys.argv[1]}'")
print(json.dumps([len(con.execute(query).fetchall()) for query in json.load(sys.stdin)]))
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    for name in ("duckdb", "duckdb-extension-httpfs"):
        installed(f"{name}=={VERSION}", folder)
    return folder


@pytest.fixture(scope="module")
def server(made_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    """A published folder on the web: the file and its Parquet."""
    folder = tmp_path_factory.mktemp("served")
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        export_tables(con, folder, load_catalog())
    parquet = {f"/parquet/{path.name}": Served(path.read_bytes()) for path in folder.glob("parquet/*")}
    with running(Loopback({"/regime.duckdb": Served(made_release.read_bytes()), **parquet})) as server:
        yield server


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_the_page_shows_reads_the_file_and_its_parquet_and_not_all_of_them(
    packages: Path, server: Loopback
) -> None:
    (block,) = (block for block in blocks(ROOT / "docs" / "analysts.md", "sql") if "https://" in block)
    shown = block.replace("https://example.org/published", server.root).split(";")
    queries = [query for query in shown if query.strip() and "httpfs" not in query]
    extension = next(packages.rglob("httpfs.duckdb_extension"))
    done = subprocess.run(
        [sys.executable, "-c", ASKED, str(extension)], input=json.dumps(queries),
        env={**os.environ, "PYTHONPATH": str(packages)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[1:] == [1, 501, 501]
    sent = Counter[str]()
    for path, size in server.sent:
        sent[path] += size
    assert sent.total() < 2_000_000
    assert {path for path, size in sent.items() if size > 100} == {
        "/regime.duckdb",
        "/parquet/monthly.parquet",
    }
