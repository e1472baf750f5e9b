"""The command line: what each command prints, and the status it leaves with."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from assets.progress import progress
from assets.report.published import Release
from pipelines import __main__ as command_line
from pipelines.commands import run
from pipelines.commands.run import printed_progress
from pipelines.outcome import Outcome
from pipelines.published_verdict import summary_lines
from pipelines.release_file import open_published
from tests.integration.conftest import Night

ROOT = Path(__file__).resolve().parents[2]


PRINTED = {
    ("show",): ["neutral_bubble", "2026-09-30", "SAMPLE"],
    ("explain", "2008-12-16"): [
        "2008-11-30",
        "valuation",
        "economy",
        "credit",
        "inflation",
    ],  # the row before
    ("as-of", "2025-11-05", "UNRATE"): ["2025-08-01"],
}


@pytest.mark.parametrize("arguments", PRINTED)
def test_a_command_prints_what_the_published_file_contains(
    installed_night: Night, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(arguments) == 0
    out = capsys.readouterr().out
    assert [text for text in PRINTED[arguments] if text not in out] == []
    assert "2025-10-01" not in out, "the figure of October was not known on 2025-11-05"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["as-of", "2025-11-05", "NOSUCH"], "NOSUCH"),
        (["explain", "1960-01-01"], "1960-01-01"),
        (["verify", "20000101T000000.000000Z"], "20000101T000000"),
        (["rollback", "20000101T000000.000000Z"], "20000101T000000"),
    ],
)
def test_a_query_without_a_result_is_one_line(
    installed_night: Night, capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    assert command_line.main(arguments) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and named in lines[0]


@pytest.mark.parametrize(
    ("arguments", "way_out"),
    [
        ([], "--help"),
        (["as-of", "05.11.2025", "UNRATE"], "--help"),
        (["run", "--as-of", "tomorrow"], "--help"),
        (["shw"], "there is no command 'shw': did you mean show?"),
        (["explain", "2021-11"], "for example the month-end 2021-11-30"),
        (["explain", "2024-02"], "for example the month-end 2024-02-29"),
        (["as-of", "UNRATE", "2021-11-30"], "DATE comes first"),
    ],
)
def test_wrong_usage_is_status_two_and_names_what_was_meant(
    arguments: list[str], way_out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        command_line.main(arguments)
    assert left.value.code == 2 and way_out in capsys.readouterr().err


def test_a_series_is_found_by_a_word_of_its_title(
    installed_night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["as-of", "2021-11-30", "UNEMPLOYMENT"]) == 2
    assert "did you mean UNRATE?" in capsys.readouterr().err


def test_a_run_ends_with_the_first_screen_in_words_and_the_path_of_the_report(installed_night: Night) -> None:
    with open_published(installed_night.published) as con:
        lines = summary_lines(Release(con), installed_night.published)
    text = " ".join(" ".join(lines).split())
    assert "how sure 100 % agree. Of 375 variants" in text and "what ends it Score < 0.52." in text
    assert lines[-1].split() == ["report", str(installed_night.published.with_name("report.html"))]
    assert max(len(line) for line in lines[:-2]) <= 100


def test_a_run_prints_a_line_per_stage_and_not_per_table(capsys: pytest.CaptureFixture[str]) -> None:
    with printed_progress():
        for line in (
            "derived/a: 3 rows",
            "derived/b: 4 rows",
            "raw/fred: 39 series",
            "regime/c: 5 rows",
            "published",
        ):
            progress.info(line)
    printed = [line.strip() for line in "".join(capsys.readouterr()).splitlines()]
    assert printed == [
        "derived: 2 tables computed",
        "raw/fred: 39 series",
        "regime: 1 table computed",
        "published",
    ]


@pytest.mark.parametrize("command", ["show", "explain", "open"])
def test_before_the_first_publication_the_way_to_it_is_named(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path))
    assert command_line.main([command]) == 2
    assert "run `make run`" in capsys.readouterr().err


def test_run_refuses_a_wrong_configuration_before_it_changes_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("REGIME_PROFILE", "liev")
    assert command_line.main(["run"]) == 2
    assert "REGIME_PROFILE" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_run_does_not_go_back_in_time(installed_night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    before = installed_night.published.read_bytes()
    assert command_line.main(["run", "--as-of", "2024-12-31"]) == 2
    assert "as of 2026-09-30, this run is as of 2024-12-31" in capsys.readouterr().err
    assert installed_night.published.read_bytes() == before


def test_doctor_fails_for_a_fault_and_reports_what_to_do(
    installed_night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    wal = installed_night.published.with_name(installed_night.published.name + ".wal")
    wal.write_bytes(b"another program's")
    assert command_line.main(["doctor"]) == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL"))
    assert str(wal) in line and "remove it" in line


def test_results_go_to_standard_output_and_errors_to_standard_error(installed_night: Night) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "show"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "neutral_bubble" in done.stdout and done.stderr == ""
    wrong = subprocess.run(
        [sys.executable, "-m", "pipelines", "explain", "soon"], cwd=ROOT, capture_output=True, text=True
    )
    assert wrong.returncode == 2 and wrong.stdout == "" and len(wrong.stderr.splitlines()) == 1


@pytest.mark.parametrize(("status", "exit_status"), [("published", 0), ("blocked", 1), ("unreachable", 3)])
def test_run_ends_with_the_status_of_its_outcome_and_reports_what_is_published(
    installed_night: Night,
    status: Literal["published", "blocked", "unreachable"],
    exit_status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcome = Outcome(
        status, ("35 series fetched",), ("regime score__in_range",) if status == "blocked" else ()
    )
    monkeypatch.setattr(run, "run_nightly", lambda *_, **__: outcome)
    assert command_line.main(["run"]) == exit_status
    printed = capsys.readouterr()
    assert "35 series fetched" in printed.err
    assert ("neutral_bubble" in printed.out) == (status == "published")
    assert ("is unchanged" in printed.err) == (status != "published")
    assert ("blocked by: regime score__in_range" in printed.err) == (status == "blocked")


DATA = {
    ("show",): ("regime", "neutral_bubble"),
    ("explain", "2008-12-16"): ("as_of_date", "2008-11-30"),
    ("as-of", "2025-11-05", "unrate"): ("series_id", "UNRATE"),
    ("sql", "SELECT regime, bubble_score FROM regime_current"): ("regime", "neutral_bubble"),
    ("settings",): ("name", "REGIME_PROFILE"),
}


@pytest.mark.parametrize("arguments", DATA)
def test_rows_are_printed_as_json_and_csv_with_the_same_content(
    installed_night: Night, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    name, value = DATA[arguments]
    assert command_line.main([*arguments, "--json"]) == 0
    as_json = json.loads(capsys.readouterr().out)
    assert command_line.main([*arguments, "--csv"]) == 0
    as_csv = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(as_json) == len(as_csv) > 0 and as_json[0][name] == as_csv[0][name] == value
    for one, other in zip(as_json, as_csv, strict=True):
        assert {k: "" if v is None else str(v) for k, v in one.items()} == other


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("FROM regim", 'Did you mean "regime"?'),
        ("SELCT 1", "syntax error"),
        ("DROP TABLE regime", "read-only"),
        ("SELECT error('own')", "own"),
        (" ; ", "the query is empty"),
    ],
)
def test_a_wrong_query_is_one_line_and_changes_nothing(
    installed_night: Night, query: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = installed_night.published.read_bytes()
    assert command_line.main(["sql", query]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and named in lines[0]
    assert installed_night.published.read_bytes() == before


def test_a_query_is_a_table_and_a_long_one_names_the_way_to_all_of_it(
    installed_night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["sql", "SELECT as_of_date, bubble_score FROM regime ORDER BY 1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["as_of_date", "bubble_score"] and "more rows" in lines[-1]
    assert command_line.main(["sql", "SELECT 1 AS one WHERE false", "--csv"]) == 0
    assert capsys.readouterr().out == "one\n"


def test_columns_of_the_same_name_are_all_printed(
    installed_night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    for query, printed in (
        ("SELECT 1 AS x, 2 AS x", "x,x_1\n1,2\n"),
        ("SELECT 1 x, 2 x WHERE false", "x,x_1\n"),
    ):
        assert command_line.main(["sql", query, "--csv"]) == 0
        assert capsys.readouterr().out == printed


def test_an_absent_input_has_no_contribution(
    installed_night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["explain", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    absent = [row for row in rows if row["score"] is None]
    assert absent and all(row["contribution"] is None for row in absent)
    assert all(row["contribution"] is not None for row in rows if row not in absent)
