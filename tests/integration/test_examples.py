"""What analysts are shown works on a published file and is true of it: example queries, their page, revision macros."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.publish.documents.descriptors import regime_json
from assets.publish.documents.examples import EXAMPLES as FILE
from assets.publish.documents.examples import examples, shipped
from assets.publish.documents.fill import fill_release
from assets.publish.views import macro_statements
from assets.warehouse.connection import CONFIG, query_rows
from docs._generate.examples import PAGE, page
from tests.integration.conftest import Night
from tests.integration.test_other_programs import assert_macros_hold, installed
from tests.integration.test_pages import blocks
from tests.nightly_run import ROOT

EXAMPLES = {example.name: example for example in examples()}
# one vintage per figure, nothing came late, nothing was corrected
EMPTY_ON_THE_SAMPLE = {"revisions", "late_figures", "corrected_rows"}
OLDER = """
import duckdb, sys
con = duckdb.connect(sys.argv[1], read_only=True)
for query in sys.stdin.read().split("\\0"):
    print(len(con.execute(query).fetchall()), flush=True)
"""


def rows(con: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    return query_rows(con, EXAMPLES[name].sql)


def test_every_query_runs_and_the_file_as_a_script_too(release: duckdb.DuckDBPyConnection) -> None:
    assert {name for name in EXAMPLES if not rows(release, name)} == EMPTY_ON_THE_SAMPLE
    assert all(example.question.endswith("?") and example.sql.endswith(";") for example in examples())
    assert len(EXAMPLES) == len(examples()) == shipped(FILE).count("-- [") >= 20
    assert "".join(e.sql for e in examples()).count(";") == len(EXAMPLES)
    release.execute(shipped(FILE)).fetchall()


def test_the_page_shows_the_queries_of_the_release_and_their_answers(
    release: duckdb.DuckDBPyConnection,
) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(release), "run: python -m docs._generate.examples FILE"


def test_every_answer_takes_less_than_a_second_and_no_join_loses_a_row(
    release: duckdb.DuckDBPyConnection,
) -> None:
    for example in examples():
        started = time.process_time()  # of this process: what else the machine does is not counted
        release.execute(example.sql).fetchall()
        assert time.process_time() - started < 1, example.name
        assert set(re.findall(r"(\w+) JOIN", example.sql)) <= {"LEFT", "CROSS"}, example.name
    ends = release.execute("SELECT count(*) FROM regime WHERE is_month_end").fetchall()[0][0]
    spells = rows(release, "since_when")
    assert sum(row["months"] for row in spells) == ends and spells[0]["ended_by"] is None
    assert all(a["label"] != b["label"] for a, b in pairwise(spells))


def test_a_date_shows_nothing_that_became_known_later(release: duckdb.DuckDBPyConnection) -> None:
    known = rows(release, "known_on_a_date")
    assert known[0]["observation_date"] == dt.date(2025, 8, 1)  # September was delayed
    assert all(row["realtime_start"] <= dt.date(2025, 11, 5) for row in known)
    every = rows(release, "known_on_a_day_in_2008")
    assert len(every) > 20 and all(row["known_since"] <= dt.date(2008, 9, 15) for row in every)
    assert rows(release, "label_on_a_date")[0]["as_of_date"] == dt.date(2012, 8, 31)


def test_revisions_late_figures_and_corrections_show_when_there_are_some(night: Night) -> None:
    with night.open_staged() as con:
        con.execute(
            "INSERT INTO pit.observations SELECT * REPLACE (value - 100 AS value, DATE '2025-08-28' AS realtime_start) "
            "FROM observations WHERE series_id = 'GDPC1' AND observation_date = DATE '2025-04-01'"
        )
        con.execute(
            "INSERT INTO late_figures SELECT DATE '2026-04-30', 'UNRATE', DATE '2026-03-01', DATE '2026-04-20', "
            "4.3, 4.4, published_at, published_at, captured_until FROM release_manifest"
        )
        con.execute(
            "INSERT INTO row_corrections BY NAME SELECT release_id, 1 AS correction_number, 'regime' AS table_name, "
            "DATE '2026-03-31' AS as_of_date, 'regime' AS column_name, 'a' AS value_before, 'b' AS value_after, "
            "'late' AS reason, 'NFCI' AS series_ids, published_at AS captured_at FROM release_manifest"
        )
        con.execute(
            "INSERT INTO pit.observations SELECT * REPLACE (value + 7 AS value, DATE '2026-09-29' AS realtime_start) "
            "FROM observations WHERE series_id = 'PAYEMS' AND observation_date = DATE '2026-07-01'"
        )
        payrolls = {row["observation_date"]: row["revision"] for row in rows(con, "payroll_revisions")}
        assert payrolls.pop(dt.date(2026, 7, 1)) == 7 and set(payrolls.values()) == {0}
        assert [row["revision"] for row in rows(con, "revisions")] == [pytest.approx(-100)]
        assert len(rows(con, "vintages_of_one_figure")) == 2
        assert [row["value_late"] for row in rows(con, "late_figures")] == [4.4]
        assert [(row["reason"], row["labels"]) for row in rows(con, "corrected_rows")] == [("late", 1)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_query_gives_as_many_rows_and_the_macros_hold_in_an_older_duckdb(
    made_release: Path, release: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    packages = installed("duckdb==1.2.2", tmp_path / "packages")  # the oldest that is promised
    done = subprocess.run(
        [sys.executable, "-c", OLDER, str(made_release)], input="\0".join(e.sql for e in examples()),
        env={**os.environ, "PYTHONPATH": str(packages)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [int(n) for n in done.stdout.split()] == [len(rows(release, name)) for name in EXAMPLES]
    assert_macros_hold(made_release, packages)


# ---- docs/analysts.md, in the folder of a release

ANALYSTS = ROOT / "docs" / "analysts.md"
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


@pytest.fixture
def _in_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


@pytest.mark.usefixtures("_in_the_folder")
@pytest.mark.parametrize("block", blocks(ANALYSTS, "python"))
def test_python_shown_runs(block: str) -> None:
    exec(compile(block, "docs/analysts.md", "exec"), {})


@pytest.mark.usefixtures("_in_the_folder")
def test_queries_shown_return_rows_and_a_macro_of_an_attached_file_needs_use() -> None:
    with duckdb.connect("regime.duckdb", read_only=True, config=CONFIG) as con:
        shown = [block for block in blocks(ANALYSTS, "sql") if "https://" not in block]
        assert len(shown) == 6 and all(len(con.execute(block).fetchall()) > 5 for block in shown)
    with duckdb.connect(config=CONFIG) as con:
        con.execute("ATTACH 'regime.duckdb' AS pub (READ_ONLY)")
        with pytest.raises(duckdb.Error):
            con.execute("SELECT count(*) FROM pub.series_as_of('UNRATE', DATE '2020-04-30')").fetchall()


@pytest.mark.usefixtures("_in_the_folder")
def test_no_join_shown_loses_a_day_and_every_tool_gives_the_same_labels() -> None:
    joins = [block for block in blocks(ANALYSTS, "python") if "joined = " in block]
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


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_python_shown_runs_with_pandas_3(folder: Path, tmp_path: Path) -> None:
    packages = installed("pandas>=3,<4", tmp_path / "packages")
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=json.dumps(blocks(ANALYSTS, "python")), cwd=folder,
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
    shown = [line for block in blocks(ANALYSTS, "sh") for line in block.splitlines()]
    for command in [line for line in shown if line.startswith("duckdb ")]:
        done = subprocess.run(
            command, shell=True, cwd=folder, env=path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0 and "neutral_bubble" in done.stdout, done.stderr


# ---- the revision triangle of a series: by hand, from real vintages only

VINTAGES = """
INSERT INTO pit.observations BY NAME FROM (VALUES
  ('PAYEMS', DATE '2019-12-01', 90, DATE '2020-02-05', 'alfred'),
  ('PAYEMS', DATE '2020-01-01', 100, DATE '2020-02-07', 'alfred'),
  ('PAYEMS', DATE '2020-01-01', 110, DATE '2020-03-06', 'alfred'),
  ('PAYEMS', DATE '2020-01-01', 108, DATE '2020-04-03', 'rtdsm'),
  ('PAYEMS', DATE '2020-01-01', 104, DATE '2021-02-05', 'alfred'),
  ('PAYEMS', DATE '2020-02-01', 200, DATE '2020-03-06', 'alfred'),
  ('PAYEMS', DATE '2020-02-01', 192, DATE '2020-04-03', 'alfred'),
  ('PAYEMS', DATE '2020-03-01', 300, DATE '2020-04-03', 'lag_rule'),
  ('PAYEMS', DATE '2020-03-01', 310, DATE '2020-05-03', 'alfred'),
  ('PAYEMS', DATE '2020-04-01', 400, DATE '2020-05-08', 'alfred'),
  ('PAYEMS', DATE '2020-04-01', NULL, DATE '2020-06-08', 'alfred'),
  ('DGS10', DATE '2020-04-01', 1.5, DATE '2020-04-02', 'lag_rule')
) AS v(series_id, observation_date, value, realtime_start, vintage_source)
"""


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute(
            "CREATE SCHEMA pit; CREATE TABLE pit.observations ("
            "series_id VARCHAR, observation_date DATE, value DOUBLE, realtime_start DATE, "
            "vintage_source VARCHAR, realtime_end DATE)"
        )
        con.execute(
            "CREATE TABLE pit.series AS FROM (VALUES ('PAYEMS', 'Employees', true), ('DGS10', 'Yield', true)) "
            "AS s(series_id, title, is_published)"
        )
        con.execute(VINTAGES)
        con.execute(macro_statements())
        yield con


def test_releases_of_a_period_in_order_and_none_whose_first_release_is_unknown(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = con.execute(
        "SELECT month(observation_date), releases, first_value, second_value, third_value, latest_value, revision "
        "FROM revisions('payems')"
    ).fetchall()
    assert found == [
        (1, 4, 100, 110, 108, 104, 4),
        (2, 2, 200, 192, None, 192, -8),
        (4, 1, 400, None, None, 400, 0),
    ]


def test_bias_and_size_of_the_revisions(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute(
        "SELECT periods, revised_share, bias, mean_absolute_revision, bias_second, mean_absolute_second, "
        "largest_revision FROM revision_summary('PAYEMS')"
    ).fetchall()
    assert found == [(3, pytest.approx(2 / 3), pytest.approx(-4 / 3), 4.0, 1.0, 9.0, -8.0)]


def test_a_series_without_real_vintages_has_no_releases(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute("FROM revisions('DGS10')").fetchall() == []
    assert con.execute("SELECT periods, bias FROM revision_summary('DGS10')").fetchall() == [(0, None)]


def test_an_unknown_series_is_an_error_with_the_nearest_name(con: duckdb.DuckDBPyConnection) -> None:
    for macro in ("revisions", "revision_summary"):
        with pytest.raises(duckdb.Error, match="did you mean PAYEMS"):
            con.execute(f"FROM {macro}('PAYEM')").fetchall()
