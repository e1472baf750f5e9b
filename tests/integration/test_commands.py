"""The command line: what each command prints and its status; every mistake is one line with the way out."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import dagster as dg
import pytest

from assets.progress import progress
from assets.report.published import Release
from assets.warehouse.connection import WarehouseError
from assets.warehouse.published_file import PublicationRefused
from pipelines import __main__ as command_line
from pipelines.commands import run
from pipelines.commands.run import printed_progress
from pipelines.instance import open_instance
from pipelines.outcome import Failure, Outcome, innermost, raise_interruption_or_full_disk
from pipelines.process import ensure_home
from pipelines.published_verdict import summary_lines
from pipelines.release_file import open_published
from pipelines.settings import ConfigurationError
from tests.integration.conftest import Night

ROOT = Path(__file__).resolve().parents[2]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert command_line.main(arguments) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The line a command is refused with."""
    assert command_line.main(arguments) == 2
    (line,) = [one for one in capsys.readouterr().err.splitlines() if one.startswith("error: ")]
    return line


def test_a_command_prints_what_the_published_file_contains_and_what_it_lacks_is_one_line(
    installed_night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    show = printed(capsys, "show")
    assert [text for text in ("neutral_bubble", "2026-09-30", "SAMPLE") if text not in show] == []
    assert "2008-11-30" in printed(capsys, "explain", "2008-12-16"), "the row before"
    known = printed(capsys, "as-of", "2025-11-05", "UNRATE")
    assert "2025-08-01" in known and "2025-10-01" not in known, "October was not known on 2025-11-05"
    before = installed_night.published.read_bytes()
    for arguments, named in {
        ("as-of", "2025-11-05", "NOSUCH"): "NOSUCH",
        ("as-of", "2021-11-30", "UNEMPLOYMENT"): "did you mean UNRATE?",
        ("explain", "1960-01-01"): "1960-01-01",
        ("verify", "20000101T000000.000000Z"): "20000101T000000",
        ("rollback", "20000101T000000.000000Z"): "20000101T000000",
        ("sql", "FROM regim"): 'Did you mean "regime"?',
        ("sql", "DROP TABLE regime"): "read-only",
        ("sql", " ; "): "the query is empty",
        ("run", "--as-of", "2024-12-31"): "as of 2026-09-30, this run is as of 2024-12-31",
    }.items():
        assert named in refused(capsys, *arguments)
    assert installed_night.published.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "way_out"),
    [
        ([], "--help"),
        (["shw"], "there is no command 'shw': did you mean show?"),
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
    assert [line.strip() for line in "".join(capsys.readouterr()).splitlines()] == [
        "derived: 2 tables computed",
        "raw/fred: 39 series",
        "regime: 1 table computed",
        "published",
    ]


def test_before_the_first_publication_the_way_to_it_is_named_and_a_wrong_configuration_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path / "data"))
    for command in ("show", "explain", "open"):
        assert "run `make run`" in refused(capsys, command)
    monkeypatch.setenv("REGIME_PROFILE", "liev")
    assert "REGIME_PROFILE" in refused(capsys, "run")
    assert not (tmp_path / "data").exists()


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
    checks = ("regime score__in_range",) if status == "blocked" else ()
    monkeypatch.setattr(run, "run_nightly", lambda *_, **__: Outcome(status, ("35 series fetched",), checks))
    assert command_line.main(["run"]) == exit_status
    shown = capsys.readouterr()
    assert "35 series fetched" in shown.err
    assert ("neutral_bubble" in shown.out) == (status == "published")
    assert ("is unchanged" in shown.err) == (status != "published")
    assert ("blocked by: regime score__in_range" in shown.err) == (status == "blocked")


DATA = {
    ("show",): ("regime", "neutral_bubble"),
    ("explain", "2008-12-16"): ("as_of_date", "2008-11-30"),
    ("as-of", "2025-11-05", "unrate"): ("series_id", "UNRATE"),
    ("sql", "SELECT regime, bubble_score FROM regime_current"): ("regime", "neutral_bubble"),
    ("settings",): ("name", "REGIME_PROFILE"),
}


def test_rows_are_printed_as_json_and_csv_with_the_same_content(
    installed_night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, (name, value) in DATA.items():
        as_json = json.loads(printed(capsys, *arguments, "--json"))
        as_csv = list(csv.DictReader(io.StringIO(printed(capsys, *arguments, "--csv"))))
        assert len(as_json) == len(as_csv) > 0 and as_json[0][name] == as_csv[0][name] == value
        for one, other in zip(as_json, as_csv, strict=True):
            assert {k: "" if v is None else str(v) for k, v in one.items()} == other
    evidence = json.loads(printed(capsys, "explain", "--json"))
    assert {row["score"] is None for row in evidence} == {True, False}
    assert all((row["score"] is None) == (row["contribution"] is None) for row in evidence)
    for query, as_text in (
        ("SELECT 1 AS one WHERE false", "one\n"),
        ("SELECT 1 AS x, 2 AS x", "x,x_1\n1,2\n"),
        ("SELECT 1 x, 2 x WHERE false", "x,x_1\n"),
    ):
        assert printed(capsys, "sql", query, "--csv") == as_text
    lines = printed(capsys, "sql", "SELECT as_of_date, bubble_score FROM regime ORDER BY 1").splitlines()
    assert lines[0].split() == ["as_of_date", "bubble_score"] and "more rows" in lines[-1]


BAD_HOMES = {
    "dagster.yaml is not understood": ("dagster.yaml", "telemetry: ["),
    "compare it with dagster_home/dagster.yaml": ("dagster.yaml", "nosuch: 1\n"),
    "move the folder history/ away": ("history/runs.db", "this is no database"),
}


def test_a_home_that_cannot_be_used_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", os.environ["DAGSTER_HOME"])  # opening an instance sets it
    (tmp_path / "file").touch()
    homes = {tmp_path / "file": "choose another directory"}
    for n, (message, (name, content)) in enumerate(BAD_HOMES.items()):
        homes[home := tmp_path / str(n)] = message
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text(content)
    for home, message in homes.items():
        with pytest.raises(ConfigurationError, match=message) as caught, open_instance(home):
            pass
        assert "\n" not in str(caught.value) and str(home) in str(caught.value)


def fails_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> int:
    """Status of `show` when it raises `error`."""
    from pipelines.commands import show

    def raise_error(_: object) -> int:
        raise error

    monkeypatch.setattr(show, "show", raise_error)
    return command_line.main(["show"])


def test_a_full_disk_is_one_line_whichever_package_reports_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outer = RuntimeError("storing the event failed")
    outer.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    for error in (outer, RuntimeError("a\n(sqlite3.OperationalError) database or disk is full\nb")):
        assert fails_with(monkeypatch, error) == 2
        error_line = capsys.readouterr().err
        assert error_line.count("\n") == 1 and "free some space" in error_line


def test_a_missing_package_is_one_line_and_a_fault_of_the_project_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fails_with(monkeypatch, ModuleNotFoundError("No module", name="duckdb")) == 2
    assert (
        capsys.readouterr().err
        == "error: duckdb is not installed: run `make setup`, and use .venv/bin/python\n"
    )
    for error in (ModuleNotFoundError("No module", name="assets.nosuch"), ZeroDivisionError()):
        with pytest.raises(type(error)):
            fails_with(monkeypatch, error)


def ended_with(error: BaseException) -> dg.ExecuteInProcessResult:
    """A run in which a step raised `error`."""

    @dg.op
    def work() -> None:
        raise error

    @dg.job
    def one_step() -> None:
        work()

    return one_step.execute_in_process(raise_on_error=False)


def failure_of(error: BaseException) -> Failure:
    """What is read back from Dagster's record of it."""
    (event,) = ended_with(error).filter_events(lambda event: event.is_step_failure)
    recorded: Any = event.event_specific_data
    return innermost(recorded.error)


def test_the_class_of_an_error_is_not_part_of_its_message() -> None:
    refused = PublicationRefused("/d: 0 MB free:\n free some space")
    assert failure_of(refused) == ("PublicationRefused", "/d: 0 MB free: free some space")
    quoted = WarehouseError("sample_data/X.csv: a.WarehouseError: implausible_value")
    assert failure_of(quoted).text == "sample_data/X.csv: a.WarehouseError: implausible_value"
    assert failure_of(KeyError("x")) == ("KeyError", "KeyError: 'x'")


def test_a_disk_that_fills_up_in_the_middle_of_a_run_is_one_line() -> None:
    error = RuntimeError(f"database has been invalidated. {'x' * 300} No space left on device")
    with pytest.raises(ConfigurationError, match=r"No space left on device\): free some space") as caught:
        raise_interruption_or_full_disk(ended_with(error))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300
    raise_interruption_or_full_disk(ended_with(RuntimeError("something else")))


COMMAND = f"{shlex.quote(sys.executable)} -m pipelines"


def shell(text: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", text],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_a_reader_that_leaves_changes_no_exit_status(tmp_path: Path) -> None:
    for command, status in (("settings", 0), ("show", 2)):
        done = shell(f"{COMMAND} {command} | true; exit ${{PIPESTATUS[0]}}", REGIME_DATA_DIR=str(tmp_path))
        assert done.returncode == status
        assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_output_that_finds_the_disk_full_is_no_success() -> None:
    done = shell(f"{COMMAND} settings >/dev/full")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "could not be written" in done.stderr


@pytest.mark.parametrize("signal", ["INT", "TERM", "HUP"])
def test_a_signal_handled_by_a_package_still_interrupts_and_nohup_is_respected(signal: str) -> None:
    code = (
        "from pipelines import process; process.begin(); import os, signal; "
        f"signal.signal(signal.SIGINT, lambda *_: None); os.kill(os.getpid(), signal.SIG{signal}); "
        "raise SystemExit(process.end(130 if process.is_interrupted() else 0))"
    )
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"
    assert shell(command).returncode == 130
    assert shell(f"trap '' HUP; {command}").returncode == (0 if signal == "HUP" else 130)


def test_a_user_without_a_home_directory_gets_one_for_packages_and_others_keep_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/as-it-was")
    ensure_home(tmp_path)
    assert os.environ["HOME"] == "/as-it-was"
    monkeypatch.setattr(os.path, "expanduser", lambda text: text)  # as without HOME and entry of the user
    ensure_home(tmp_path)
    assert os.environ["HOME"] == str(tmp_path)
