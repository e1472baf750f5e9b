"""What the analysts' page shows works unchanged, in the folder of a release."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import duckdb
import pytest

from assets.publish.documents.facts import shipped
from assets.publish.documents.fill import DOCUMENTS, fill_release
from assets.publish.documents.regime_json import regime_json
from assets.warehouse.connection import CONFIG
from tests.integration.older_duckdb import installed
from tests.integration.test_readme import ROOT, blocks

PAGE = ROOT / "docs" / "analysts.md"


@pytest.fixture(scope="module")
def folder(made_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release without its longer documents."""
    folder = tmp_path_factory.mktemp("release")
    with pytest.MonkeyPatch.context() as patch, duckdb.connect(str(made_release), read_only=True) as con:
        patch.setattr("assets.publish.documents.fill.DOCUMENTS", {"regime.json": regime_json})
        fill_release(con, made_release, folder, None)
    return folder


@pytest.fixture(autouse=True)
def _in_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("block", blocks(PAGE, "python"))
def test_python_shown_runs(block: str) -> None:
    assert ".sql(" not in block  # its relations query again at every look
    exec(compile(block, "docs/analysts.md", "exec"), {})


def test_queries_shown_return_rows_and_a_macro_of_an_attached_file_needs_use() -> None:
    with duckdb.connect("regime.duckdb", read_only=True, config=CONFIG) as con:
        assert all(len(con.execute(block).fetchall()) > 5 for block in blocks(PAGE, "sql"))
    with duckdb.connect(config=CONFIG) as con:
        con.execute("ATTACH 'regime.duckdb' AS pub (READ_ONLY)")
        with pytest.raises(duckdb.Error):
            con.execute("SELECT count(*) FROM pub.series_as_of('UNRATE', DATE '2020-04-30')").fetchall()


def test_files_and_tables_the_page_names_exist() -> None:
    text = PAGE.read_text("utf-8")
    with duckdb.connect("regime.duckdb", read_only=True, config=CONFIG) as con:
        found = con.execute("SELECT DISTINCT table_name, column_name FROM columns").fetchall()
    known = {name for pair in found for name in pair} | {f"{table}.{column}" for table, column in found}
    named = {"about", "columns", "series", "provenance", "regime_nightly", "regime_revised", "pit_grade"}
    named |= {"series.unit_kind", "observations.value", "absent_reason", "captured_at"}
    assert {name for name in named if f"`{name}`" in text} == named <= known
    assert {"regime.json", "regime.schema.json", "examples.sql", "LICENSES.md"} <= set(DOCUMENTS)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_commands_shown_run_in_the_duckdb_program(folder: Path, tmp_path: Path) -> None:
    packages = installed("duckdb-cli==1.5.6", tmp_path / "packages")
    program = next(path for path in packages.rglob("duckdb") if path.is_file())
    (folder / "examples.sql").write_text(shipped("examples.sql"), encoding="utf-8")
    (folder / "own.csv").write_text("date,value\n2020-03-15,1\n", encoding="utf-8")
    path = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    shown = [line for block in blocks(PAGE, "sh") for line in block.splitlines()]
    for command in [line for line in shown if line.startswith("duckdb ")]:
        done = subprocess.run(command, shell=True, env=path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "neutral_bubble" in done.stdout, done.stderr
