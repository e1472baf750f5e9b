"""Every example query works on a published file, in every DuckDB an analyst may have, and is true of it."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
import time
from collections import Counter
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from assets.publish.documents.examples import EXAMPLES as FILE
from assets.publish.documents.examples import examples, shipped
from assets.warehouse.connection import query_rows
from docs._generate.examples import PAGE, page
from tests.integration.conftest import Night
from tests.integration.test_other_programs import assert_macros_hold, installed

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
        kinds = re.findall(r"(\w+) JOIN", example.sql)
        assert set(kinds) <= {"LEFT", "CROSS"}, example.name
    monthly = release.execute("SELECT as_of_date, regime FROM monthly ORDER BY as_of_date DESC").fetchall()
    since_1990 = [day for day, _ in monthly if day.year >= 1990]
    assert [row["as_of_date"] for row in rows(release, "premium_since_1990")] == since_1990
    by_label = {row["regime"]: row for row in rows(release, "unemployment_by_label")}
    assert sum(row["month_ends"] for row in by_label.values()) == len(monthly)
    spells = [label for label, _ in groupby(label for _, label in monthly)]
    assert {label: row["spells"] for label, row in by_label.items()} == Counter(spells)
    starts = release.execute("SELECT count(*) FROM qe_phases WHERE kind = 'qe_start'").fetchall()[0][0]
    assert len(rows(release, "reserves_around_purchases")) == starts


def test_gold_against_the_real_yield_is_the_correlation_of_the_month_ends(
    release: duckdb.DuckDBPyConnection,
) -> None:
    frame = release.execute("SELECT as_of_date, real_gold_usd_per_oz, real_10y_pct FROM monthly").df()
    changes = pd.DataFrame(
        {
            "gold": frame["real_gold_usd_per_oz"] / frame["real_gold_usd_per_oz"].shift(12),
            "yield": frame["real_10y_pct"] - frame["real_10y_pct"].shift(12),
            "decade": frame["as_of_date"].dt.year // 10 * 10,
        }
    )
    expected = {decade: of["gold"].corr(of["yield"]) for decade, of in changes.groupby("decade")}
    found = {row["decade"]: row["of_changes"] for row in rows(release, "gold_against_real_yield")}
    assert found == pytest.approx(expected, abs=0.005) and len(found) == 5


def test_without_an_input_the_others_take_over_its_weight(release: duckdb.DuckDBPyConnection) -> None:
    evidence = release.execute(
        "SELECT condition, component, weight, score FROM regime_evidence "
        "WHERE as_of_date = DATE '2026-09-30' AND weight > 0 AND condition <> 'inflation'"
    ).df()
    kept = evidence[evidence["component"] != "nfci"]
    scores = (kept["weight"] * kept["score"]).groupby(kept["condition"]).sum()
    scores = scores / kept.groupby("condition")["weight"].sum()
    answer = rows(release, "without_nfci")[0]
    assert answer["without_nfci"] == pytest.approx(scores.mean(), abs=1e-4) != answer["bubble_score"]
    assert len(kept) == len(evidence) - 1


def test_shares_of_the_inputs_add_up_to_the_score(release: duckdb.DuckDBPyConnection) -> None:
    score = rows(release, "where_do_we_stand")[0]["bubble_score"]
    assert sum(row["contribution"] or 0 for row in rows(release, "why")) == pytest.approx(score, abs=0.01)
    moved = sum(row["change"] for row in rows(release, "what_moved_the_score"))
    changed = next(row for row in rows(release, "what_changed") if row["item"] == "bubble_score")
    assert moved == pytest.approx(float(changed["now"]) - float(changed["before"]), abs=0.002)


def test_spells_of_labels_cover_every_month_end_once(release: duckdb.DuckDBPyConnection) -> None:
    spells = rows(release, "since_when")
    ends = release.execute("SELECT count(*) FROM regime WHERE is_month_end").fetchall()[0][0]
    assert sum(row["months"] for row in spells) == ends
    assert spells[0]["ended_by"] is None
    assert spells[0]["start_month_end"] == rows(release, "where_do_we_stand")[0]["regime_since"]
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
@pytest.mark.parametrize("version", ["1.2.2", "1.4.0", "1.5.0"])
def test_every_query_gives_as_many_rows_and_the_macros_hold_in_an_older_duckdb(
    made_release: Path, release: duckdb.DuckDBPyConnection, tmp_path: Path, version: str
) -> None:
    packages = installed(f"duckdb=={version}", tmp_path / "packages")
    done = subprocess.run(
        [sys.executable, "-c", OLDER, str(made_release)], input="\0".join(e.sql for e in examples()),
        env={**os.environ, "PYTHONPATH": str(packages)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [int(n) for n in done.stdout.split()] == [len(rows(release, name)) for name in EXAMPLES]
    assert_macros_hold(made_release, packages)
