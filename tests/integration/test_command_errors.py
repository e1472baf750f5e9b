"""Every mistake of a user is one line with the problem and the way out; status 2, and no traceback."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.warehouse.connection import WarehouseError
from assets.warehouse.published_file import PublicationRefused
from pipelines import __main__ as command_line
from pipelines.instance import open_instance
from pipelines.outcome import Failure, innermost, raise_interruption_or_full_disk
from pipelines.settings import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _home_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening an instance sets the variable for the whole process."""
    monkeypatch.setenv("DAGSTER_HOME", os.environ["DAGSTER_HOME"])


BAD_HOMES = {
    "dagster.yaml is not understood": ("dagster.yaml", "telemetry: ["),
    "compare it with dagster_home/dagster.yaml": ("dagster.yaml", "nosuch: 1\n"),
    "move the folder history/ away": ("history/runs.db", "this is no database"),
}


@pytest.mark.parametrize("message", BAD_HOMES)
def test_a_home_that_cannot_be_used_names_the_way_out(message: str, tmp_path: Path) -> None:
    name, content = BAD_HOMES[message]
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigurationError, match=message) as caught, open_instance(tmp_path):
        pass
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigurationError, match="choose another directory"),
        open_instance(tmp_path / "file"),
    ):
        pass


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
        printed = capsys.readouterr().err
        assert printed.count("\n") == 1 and "free some space" in printed


def test_a_missing_package_is_one_line_and_a_fault_of_the_project_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fails_with(monkeypatch, ModuleNotFoundError("No module", name="duckdb")) == 2
    printed = capsys.readouterr().err
    assert printed == "error: duckdb is not installed: run `make setup`, and use .venv/bin/python\n"
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
