"""The published file in other programs: its table macros in any DuckDB, and the file and its Parquet over HTTP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.publish.staged_file import export_tables
from assets.warehouse.connection import CONFIG
from tests.fakes.server import Loopback, Served, running
from tests.integration.test_pages import blocks
from tests.nightly_run import ROOT

VERSION = "1.5.5"
MACROS = """
import duckdb, json, sys
path, answers = sys.argv[1], {}
def ask(name, con, query):
    try:
        answers[name] = len(con.execute(query).fetchall())
    except duckdb.Error as error:
        answers[name] = str(error).splitlines()[0]
day = "DATE '2020-04-30'"
con = duckdb.connect(path, read_only=True)
con.execute("CREATE TEMP TABLE observations AS SELECT 1 AS x")
con.execute("CREATE TEMP TABLE series AS SELECT 1 AS x")
ask("opened", con, f"FROM series_as_of('UNRATE', {day})")
ask("lower", con, f"FROM series_as_of('unrate', {day})")
ask("all", con, f"FROM all_as_of({day})")
ask("unknown", con, f"FROM series_as_of('unrat', {day})")
ask("counted", con, f"SELECT count(*) FROM series_as_of('UNRAT', {day})")
ask("before_all", con, "SELECT 1 FROM series_as_of('UNRAT', DATE '1900-01-01')")
ask("joined", con, f"FROM series_as_of('UNRATE', {day}) AS a LEFT JOIN series_as_of('PAYEM', {day}) AS b "
    "USING (observation_date)")
ask("without_figures", con, f"FROM series_as_of('BAMLH0A0HYM2', {day})")
ask("titled", con, f"FROM series_as_of('unemployment', {day})")
ask("null", con, f"FROM series_as_of(NULL, {day})")
answers["bound"] = len(con.execute("FROM series_as_of(?, ?)", ["UNRATE", "2020-04-30"]).fetchall())
con.close()
con = duckdb.connect()
con.execute(f"ATTACH '{path}' AS pub (READ_ONLY)")
for table in ("observations", "series"):
    con.execute(f"CREATE TEMP TABLE {table} AS SELECT 1 AS x")
con.execute("CREATE SCHEMA pit")
con.execute("CREATE TABLE pit.observations AS SELECT 1 AS x")
ask("view", con, "FROM pub.observations")
con.execute("USE pub")
ask("attached", con, f"FROM series_as_of('UNRATE', {day})")
ask("attached_unknown", con, f"FROM series_as_of('UNRAT', {day})")
print(json.dumps(answers))
"""
REMOTE = """
import duckdb, json, sys
con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
con.execute(f"LOAD '{sys.argv[1]}'")
print(json.dumps([len(con.execute(query).fetchall()) for query in json.load(sys.stdin)]))
"""


def installed(requirement: str, folder: Path) -> Path:
    """DuckDB of another version in a separate folder, as analysts have it; skipped where no package index responds."""
    uv = shutil.which("uv")  # an environment that uv made has no pip
    program = [uv, "pip"] if uv else [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    done = subprocess.run(
        [*program, "install", "--quiet", "--no-deps", "--target", str(folder), requirement],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"{requirement} cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
    return folder


def run(program: str, *arguments: str, packages: Path | None = None, said: str | None = None) -> Any:
    """What a program that is handed to Python prints as JSON."""
    env = {**os.environ, **({"PYTHONPATH": str(packages)} if packages else {})}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], input=said, env=env, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_macros_hold(release: Path, packages: Path | None = None) -> None:
    """A wrong name is an error that names the nearest, and other tables do not disturb: true in every version."""
    answers = run(MACROS, str(release), packages=packages)
    assert answers["opened"] == answers["lower"] == answers["attached"] == answers["bound"] == 435
    assert answers["all"] > 10_000 and answers["view"] > answers["all"]
    for name in ("unknown", "counted", "before_all", "attached_unknown"):
        assert "no figures of series" in answers[name] and "did you mean UNRATE?" in answers[name]
    assert "did you mean PAYEMS?" in answers["joined"]
    assert "no figures of series BAMLH0A0HYM2 in this file" in answers["without_figures"]
    assert "did you mean UNRATE?" in answers["titled"]
    assert "no figures of series NULL" in answers["null"]


def test_a_wrong_name_is_an_error_that_names_the_nearest_and_other_tables_do_not_disturb(
    made_release: Path,
) -> None:
    assert_macros_hold(made_release)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_the_page_shows_reads_the_file_and_its_parquet_over_http_and_not_all_of_them(
    made_release: Path, tmp_path: Path
) -> None:
    for name in ("duckdb", "duckdb-extension-httpfs"):
        installed(f"{name}=={VERSION}", tmp_path / "packages")
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        export_tables(con, tmp_path, load_catalog())
    parquet = {f"/parquet/{path.name}": Served(path.read_bytes()) for path in tmp_path.glob("parquet/*")}
    (block,) = (block for block in blocks(ROOT / "docs" / "analysts.md", "sql") if "https://" in block)
    extension = next(tmp_path.rglob("httpfs.duckdb_extension"))
    with running(Loopback({"/regime.duckdb": Served(made_release.read_bytes()), **parquet})) as server:
        shown = block.replace("https://example.org/published", server.root).split(";")
        queries = [query for query in shown if query.strip() and "httpfs" not in query]
        found = run(REMOTE, str(extension), packages=tmp_path / "packages", said=json.dumps(queries))
        sent = Counter[str]()
        for path, size in server.sent:
            sent[path] += size
    assert found[1:] == [1, 501, 501]
    assert sent.total() < 2_000_000
    large = {path for path, size in sent.items() if size > 100}
    assert large == {"/regime.duckdb", "/parquet/monthly.parquet"}
