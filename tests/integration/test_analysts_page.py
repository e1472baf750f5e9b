"""What the analysts' page shows works unchanged, in the folder of a release."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from assets.publish.documents.descriptors import regime_json
from assets.publish.documents.examples import shipped
from assets.publish.documents.fill import fill_release
from assets.warehouse.connection import CONFIG
from tests.integration.test_other_programs import installed
from tests.integration.test_page_blocks import blocks
from tests.nightly_run import ROOT

PAGE = ROOT / "docs" / "analysts.md"
OWN = "date,value\n1984-01-01,1\n2008-11-29,1.5\n2008-11-30,1.75\n2026-10-01,2\n"
LABELS = [None, "stimulus_into_depression", "stimulus_into_depression", "neutral_bubble"]
RUN = """
import json, sys, pandas
answers = []
for block in json.load(sys.stdin):
    names = {}
    exec(block, names)
    if "merge_asof" in block:
        joined, yearly, monthly = names["joined"], names["yearly"], names["monthly"]
        labels = [label if isinstance(label, str) else None for label in joined["regime"]]
        answers.append([labels, len(yearly), len(monthly)])
print(json.dumps([pandas.__version__, answers]))
"""


@pytest.fixture(scope="module")
def folder(made_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release without its longer documents."""
    folder = tmp_path_factory.mktemp("release")
    with (
        pytest.MonkeyPatch.context() as patch,
        duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con,
    ):
        patch.setattr("assets.publish.documents.fill.DOCUMENTS", {"regime.json": regime_json})
        fill_release(con, made_release, folder, None)
    (folder / "own.csv").write_text(OWN, encoding="utf-8")
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
        shown = [block for block in blocks(PAGE, "sql") if "https://" not in block]
        assert len(shown) == 6 and all(len(con.execute(block).fetchall()) > 5 for block in shown)
    with duckdb.connect(config=CONFIG) as con:
        con.execute("ATTACH 'regime.duckdb' AS pub (READ_ONLY)")
        with pytest.raises(duckdb.Error):
            con.execute("SELECT count(*) FROM pub.series_as_of('UNRATE', DATE '2020-04-30')").fetchall()


def test_no_join_shown_loses_a_day_and_every_tool_gives_the_same_labels() -> None:
    joins = [block for block in blocks(PAGE, "python") if "joined = " in block]
    labels = []
    for block in joins:
        names: dict[str, Any] = {}
        exec(compile(block, "docs/analysts.md", "exec"), names)
        joined = names["joined"]
        found = [row[3] for row in joined] if isinstance(joined, list) else list(joined["regime"])
        labels.append([label if isinstance(label, str) else None for label in found])
        if "yearly" in names:
            assert len(names["yearly"]) == 2026 - 1985 + 1 and len(names["monthly"]) == 501
    assert labels == [LABELS] * 3  # DuckDB, pandas, polars


def test_what_is_written_for_excel_has_every_month_end() -> None:
    (block,) = (block for block in blocks(PAGE, "python") if "to_excel" in block)
    exec(compile(block, "docs/analysts.md", "exec"), {})
    sheet = pd.read_excel("monthly.xlsx", sheet_name="monthly")
    with duckdb.connect("regime.duckdb", read_only=True, config=CONFIG) as con:
        monthly = con.execute("FROM monthly").df()
    assert list(sheet) == list(monthly) and len(sheet) == len(monthly)
    assert list(sheet["as_of_date"]) == list(monthly["as_of_date"])
    assert sheet["bubble_score"].to_numpy() == pytest.approx(monthly["bubble_score"].to_numpy(), nan_ok=True)
    scores = pd.read_csv("scores.csv", sep=";", decimal=",")
    assert scores["bubble_score"].to_numpy() == pytest.approx(monthly["bubble_score"].to_numpy(), nan_ok=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_python_shown_runs_with_pandas_3(folder: Path, tmp_path: Path) -> None:
    packages = installed("pandas>=3,<4", tmp_path / "packages")
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=json.dumps(blocks(PAGE, "python")), cwd=folder,
        env={**os.environ, "PYTHONPATH": str(packages)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    version, answers = json.loads(done.stdout)
    assert version.startswith("3.") and answers == [[LABELS, 2026 - 1985 + 1, 501]]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_commands_shown_run_in_the_duckdb_program(folder: Path, tmp_path: Path) -> None:
    packages = installed("duckdb-cli==1.5.6", tmp_path / "packages")
    program = next(path for path in packages.rglob("duckdb") if path.is_file())
    (folder / "examples.sql").write_text(shipped("examples.sql"), encoding="utf-8")
    path = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    shown = [line for block in blocks(PAGE, "sh") for line in block.splitlines()]
    for command in [line for line in shown if line.startswith("duckdb ")]:
        done = subprocess.run(command, shell=True, env=path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "neutral_bubble" in done.stdout, done.stderr
