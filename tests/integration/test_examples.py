"""Every example query works on a published file, in every DuckDB an analyst may have, and is true of it."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.publish.documents.facts import query_rows, shipped
from assets.publish.documents.texts import EXAMPLES as FILE
from assets.publish.documents.texts import examples
from assets.warehouse.connection import CONFIG
from docs._generate.examples import PAGE, page
from tests.integration.conftest import Night
from tests.integration.older_duckdb import installed

EXAMPLES = {example.name: example for example in examples()}
# one vintage per figure, nothing came late, nothing was corrected
EMPTY_ON_THE_SAMPLE = {"revisions", "late_figures", "corrected_rows"}
OWN = "date,value\n1984-01-01,1\n2008-11-29,1.5\n2008-11-30,1.75\n2026-10-01,2\n"
OLDER = """
import duckdb, sys
con = duckdb.connect(sys.argv[1], read_only=True)
for query in sys.stdin.read().split("\\0"):
    print(len(con.execute(query).fetchall()), flush=True)
"""


@pytest.fixture(autouse=True)
def _own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An analyst's folder with a file of his own."""
    (tmp_path / "own.csv").write_text(OWN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def release(made_release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        yield con


def rows(con: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    return query_rows(con, EXAMPLES[name].sql)


def test_every_query_runs_and_the_file_as_a_script_too(release: duckdb.DuckDBPyConnection) -> None:
    assert {name for name in EXAMPLES if not rows(release, name)} == EMPTY_ON_THE_SAMPLE
    assert all(example.question.endswith("?") and example.sql.endswith(";") for example in examples())
    assert len(EXAMPLES) == len(examples()) == shipped(FILE).count("-- [") >= 20
    assert "".join(e.sql for e in examples()).count(";") == len(EXAMPLES)
    release.execute(shipped(FILE)).fetchall()


def test_the_page_shows_the_queries_of_the_release() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs._generate.examples"


def test_shares_of_the_inputs_add_up_to_the_score(release: duckdb.DuckDBPyConnection) -> None:
    score = rows(release, "where_do_we_stand")[0]["bubble_score"]
    assert sum(row["contribution"] for row in rows(release, "why")) == pytest.approx(score, abs=0.01)
    moved = sum(row["change"] for row in rows(release, "what_moved_the_score"))
    changed = next(row for row in rows(release, "what_changed") if row["item"] == "bubble_score")
    assert moved == pytest.approx(float(changed["now"]) - float(changed["before"]), abs=0.002)


def test_spells_of_labels_cover_every_month_end_once(release: duckdb.DuckDBPyConnection) -> None:
    spells = rows(release, "since_when")
    ends = release.execute("SELECT count(*) FROM regime WHERE is_month_end").fetchall()[0][0]
    assert sum(row["month_ends"] for row in spells) == ends
    assert spells[0]["last_month_end"] is None
    assert spells[0]["first_month_end"] == rows(release, "where_do_we_stand")[0]["regime_since"]
    assert all(a["regime"] != b["regime"] for a, b in pairwise(spells))


def test_a_date_shows_nothing_that_became_known_later(release: duckdb.DuckDBPyConnection) -> None:
    known = rows(release, "known_on_a_date")
    assert known[0]["observation_date"] == dt.date(2025, 8, 1)  # September was delayed
    assert all(row["realtime_start"] <= dt.date(2025, 11, 5) for row in known)
    every = rows(release, "everything_known_on_a_date")
    assert len(every) > 20 and all(row["known_since"] <= dt.date(2008, 11, 25) for row in every)
    assert rows(release, "label_on_a_date")[0]["as_of_date"] == dt.date(2012, 8, 31)
    assert [row["as_of_date"] for row in rows(release, "own_figures")] == [
        None, dt.date(2008, 10, 31), dt.date(2008, 11, 30), dt.date(2026, 9, 30),
    ]  # fmt: skip


def test_premia_are_those_of_the_table(release: duckdb.DuckDBPyConnection) -> None:
    now = rows(release, "equity_risk_premium")[0]
    table = release.execute(
        "SELECT round(erp_vs_nominal_10y_pp, 2), round(erp_vs_real_10y_pp, 2) FROM equity_risk_premium "
        "ORDER BY as_of_date DESC LIMIT 1"
    ).fetchall()[0]
    assert now["basis_of_the_score"] == "nipa"
    assert (now["national_accounts_vs_nominal_10y_pp"], now["national_accounts_vs_real_10y_pp"]) == table


def test_revisions_late_figures_and_corrections_show_when_there_are_some(night: Night) -> None:
    with night.open_staged() as con:
        con.execute(
            "INSERT INTO observations SELECT * REPLACE (value - 100 AS value, DATE '2025-08-28' AS realtime_start) "
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
        assert [row["revision"] for row in rows(con, "revisions")] == [pytest.approx(-100)]
        assert len(rows(con, "vintages_of_one_figure")) == 2
        assert [row["value_late"] for row in rows(con, "late_figures")] == [4.4]
        assert [(row["reason"], row["labels"]) for row in rows(con, "corrected_rows")] == [("late", 1)]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", ["1.2.2", "1.4.0", "1.5.0"])
def test_every_query_gives_as_many_rows_in_an_older_duckdb(
    made_release: Path, release: duckdb.DuckDBPyConnection, tmp_path: Path, version: str
) -> None:
    packages = installed(f"duckdb=={version}", tmp_path / "packages")
    done = subprocess.run(
        [sys.executable, "-c", OLDER, str(made_release)], input="\0".join(e.sql for e in examples()),
        env={**os.environ, "PYTHONPATH": str(packages)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [int(n) for n in done.stdout.split()] == [len(rows(release, name)) for name in EXAMPLES]
