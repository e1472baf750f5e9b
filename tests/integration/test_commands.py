"""The command line: what each command prints, and the status it leaves with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from pipelines import __main__ as command_line
from pipelines.commands import run
from pipelines.outcome import Outcome
from tests.integration.conftest import Night

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place(night: Night, monkeypatch: pytest.MonkeyPatch) -> Night:
    """A data directory whose published file is the night's."""
    os.replace(night.staged, night.published)
    monkeypatch.setenv("REGIME_DATA_DIR", str(night.published.parents[1]))
    return night


def test_show_says_label_date_and_that_it_is_the_sample(
    place: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["show"]) == 0
    out = capsys.readouterr().out
    assert "stimulus_into_bubble" in out and "2026-05-31" in out and "SAMPLE" in out


def test_explain_names_every_component_of_a_date(place: Night, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["explain", "2008-12-16"]) == 0
    out = capsys.readouterr().out
    assert "2008-11-30" in out  # the nearest row before it
    for condition in ("valuation", "economy", "credit", "inflation"):
        assert condition in out


def test_as_of_prints_what_was_known_then(place: Night, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["as-of", "2025-11-05", "UNRATE"]) == 0
    out = capsys.readouterr().out
    assert "2025-08-01" in out and "2025-10-01" not in out  # nothing of October was out by then


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["as-of", "2025-11-05", "NOSUCH"], "NOSUCH"),
        (["explain", "1960-01-01"], "1960-01-01"),
        (["verify", "20000101T000000.000000Z"], "20000101T000000"),
        (["rollback", "20000101T000000.000000Z"], "20000101T000000"),
    ],
)
def test_a_question_without_an_answer_is_one_line(
    place: Night, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert command_line.main(arguments) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and said[0].startswith("error: ") and says in said[0]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nosuch"],
        ["as-of", "2025-11-05"],
        ["as-of", "05.11.2025", "UNRATE"],
        ["run", "--as-of", "tomorrow"],
    ],
)
def test_wrong_usage_leaves_with_two_and_points_to_the_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        command_line.main(arguments)
    assert left.value.code == 2
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "explain", "open"])
def test_before_the_first_publication_the_way_to_it_is_named(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path))
    assert command_line.main([command]) == 2
    assert "run `make run`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"REGIME_PROFILE": "liev"}, "REGIME_PROFILE"),
        ({"REGIME_AS_OF": "2026-13-01"}, "REGIME_AS_OF"),
        ({"REGIME_AS_OF": "2099-01-31"}, "2099-01-31"),
    ],
)
def test_run_refuses_a_wrong_configuration_before_it_touches_anything(
    variables: dict[str, str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path / "data"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert command_line.main(["run"]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_run_does_not_go_back_in_time(place: Night, capsys: pytest.CaptureFixture[str]) -> None:
    before = place.published.read_bytes()
    assert command_line.main(["run", "--as-of", "2024-12-31"]) == 2
    assert "as of 2026-05-31, this run is as of 2024-12-31" in capsys.readouterr().err
    assert place.published.read_bytes() == before


def test_doctor_fails_where_something_is_wrong_and_says_what_to_do(
    place: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    wal = place.published.with_name(place.published.name + ".wal")
    wal.write_bytes(b"somebody's")
    assert command_line.main(["doctor"]) == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL"))
    assert str(wal) in line and "remove it" in line


def test_the_module_is_a_program_and_speaks_on_the_right_streams(place: Night) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "show"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "stimulus_into_bubble" in done.stdout and done.stderr == ""
    wrong = subprocess.run(
        [sys.executable, "-m", "pipelines", "explain", "soon"], cwd=ROOT, capture_output=True, text=True
    )
    assert wrong.returncode == 2 and wrong.stdout == "" and len(wrong.stderr.splitlines()) == 1


@pytest.mark.parametrize(("status", "leaves_with"), [("published", 0), ("blocked", 1), ("unreachable", 3)])
def test_run_leaves_with_the_status_of_its_outcome_and_says_what_stands(
    place: Night,
    status: Literal["published", "blocked", "unreachable"],
    leaves_with: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcome = Outcome(
        status, ("35 series fetched",), ("regime score__in_range",) if status == "blocked" else ()
    )
    monkeypatch.setattr(run, "run_nightly", lambda *_, **__: outcome)
    assert command_line.main(["run"]) == leaves_with
    said = capsys.readouterr()
    assert "35 series fetched" in said.err
    assert ("stimulus_into_bubble" in said.out) == (status == "published")
    assert ("is unchanged" in said.err) == (status != "published")
    assert ("blocked by: regime score__in_range" in said.err) == (status == "blocked")
