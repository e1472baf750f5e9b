"""`doctor`: the faults a run would report, and of history, scheduler, publishers and alerts; each with what to do."""

from __future__ import annotations

import datetime as dt
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from assets.sources.fred_client import TERMS
from pipelines.__main__ import main
from pipelines.commands import doctor
from pipelines.commands.doctor import alerts, history
from pipelines.definitions import nightly_schedule
from tests.fakes.fred_server import fred_server
from tests.fakes.fred_world import KEY, sample_world


@dg.op
def breaks() -> None:
    raise ValueError("no")


@dg.job(name="nightly", executor_def=dg.in_process_executor)
def failing() -> None:
    breaks()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as made:
        yield made


def test_a_failed_run_and_a_silent_scheduler_are_warnings(home: Path, instance: dg.DagsterInstance) -> None:
    (found,) = history(home / "new")
    assert (found.level, found.text) == ("OK", "none yet: run `make run`")
    failing.execute_in_process(instance=instance, raise_on_error=False)
    before = dt.datetime.now(dt.UTC).timestamp() - 3600
    instance.add_daemon_heartbeat(DaemonHeartbeat(before, "SCHEDULER", "id", []))
    by_line = {finding.what: finding for finding in history(home)}
    assert by_line["last run"].level == by_line["scheduler"].level == "WARN"
    assert "make ui" in by_line["last run"].text and "make ui" in by_line["scheduler"].text
    assert "schedule" not in by_line and nightly_schedule.name == doctor.SCHEDULE


def test_a_configuration_that_cannot_be_read_leaves_the_other_lines(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "dagster.yaml").write_bytes(b"storage: \xff\n")
    (undecodable,) = history(home)

    def refused(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_text", refused)
    (unreadable,) = history(home)
    for found, reason in ((undecodable, "not UTF-8 text"), (unreadable, "permission denied")):
        assert found.level == "WARN" and found.what == "last run"
        assert found.text.startswith(f"{home / 'dagster.yaml'} cannot be read ({reason}): ")


def test_alerts_name_the_targets_and_an_invalid_address() -> None:
    assert alerts({})[0].level == "OK"
    assert "target 1 (json)" in alerts({"REGIME_ALERT_URLS": "json://127.0.0.1:9/x"})[0].text
    assert alerts({"REGIME_ALERT_URLS": "nosuch://x"})[0].level == "FAIL"


def lines_of_doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **variables: str
) -> list[str]:
    """What `doctor` prints in this environment; its status is that of its worst line."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    status = main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert status == any(line.startswith("FAIL") for line in lines)
    return lines


def test_doctor_asks_fred_quotes_its_terms_and_fails_only_for_a_key_that_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = "http://127.0.0.1:9/fred"
    with fred_server(sample_world(dt.date(2026, 5, 31))) as fred:
        for key, url, level, text in (
            (KEY, fred.url, "WARN", TERMS),
            (KEY, nowhere, "WARN", "not tried: "),
            ("f" * 32, fred.url, "FAIL", "FRED refuses the key"),
            ("your_key_here", nowhere, "FAIL", "32 lower-case letters and digits"),
        ):
            lines = lines_of_doctor(
                monkeypatch, capsys, REGIME_PROFILE="live", FRED_API_KEY=key, FRED_ROOT_URL=url
            )
            of_key = [line for line in lines if "FRED_API_KEY" in line and not line.startswith("OK")]
            assert len(of_key) == 1 and of_key[0].startswith(level) and text in of_key[0]
            assert not any(key in line for line in lines)


@pytest.mark.parametrize(
    "variables",
    [{"FRED_REQUESTS_PER_SECOND": "fast"}, {"REGIME_AS_OF": "yesterday"}, {"REGIME_DATA_DIR": "$NO_SUCH/x"}],
)
def test_doctor_names_every_configuration_that_a_run_refuses_and_other_lines_stay(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (name,) = variables
    lines = lines_of_doctor(monkeypatch, capsys, REGIME_PROFILE="sample", **variables)
    assert len([line for line in lines if line.startswith("FAIL  configuration") and name in line]) == 1
    of_key = [line for line in lines if "FRED_API_KEY" in line and "not needed" in line]
    assert bool(of_key) == (name != "REGIME_DATA_DIR")
