"""The table macros: opened, attached, beside other tables, with a wrong name (older DuckDB: `test_examples.py`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ASKED = """
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


def asked(release: Path, packages: Path | None = None) -> dict[str, Any]:
    env = {**os.environ, **({"PYTHONPATH": str(packages)} if packages else {})}
    done = subprocess.run(
        [sys.executable, "-c", ASKED, str(release)], env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def holds(answers: dict[str, Any]) -> None:
    """What is true in every version."""
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
    holds(asked(made_release))
