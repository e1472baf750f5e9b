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


def test_a_new_installation_has_nothing_wrong(home: Path) -> None:
    (found,) = history(home)
    assert (found.level, found.text) == ("OK", "none yet: run `make run`")


def test_a_failed_run_and_a_silent_scheduler_are_warnings(home: Path, instance: dg.DagsterInstance) -> None:
    from pipelines.definitions import nightly_schedule

    failing.execute_in_process(instance=instance, raise_on_error=False)
    before = dt.datetime.now(dt.UTC).timestamp() - 3600
    instance.add_daemon_heartbeat(DaemonHeartbeat(before, "SCHEDULER", "id", []))
    found = {finding.what: finding for finding in history(home)}
    assert found["last run"].level == found["scheduler"].level == "WARN"
    assert "make ui" in found["last run"].text and "make ui" in found["scheduler"].text
    assert "schedule" not in found and nightly_schedule.name == doctor.SCHEDULE


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


def failures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **variables: str
) -> list[str]:
    """The failing lines of `doctor` in this environment."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    status = main(["doctor"])
    found = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert status == (1 if found else 0)
    return found


@pytest.mark.parametrize("key", ["your_key_here", "0" * 33, "0123 " * 6])
def test_doctor_fails_for_a_key_that_a_run_refuses_at_once(
    key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = failures(monkeypatch, capsys, FRED_API_KEY=key)
    assert any("32 lower-case letters and digits" in line for line in found)
    assert not any(key in line for line in found)


def test_doctor_asks_fred_and_fails_only_for_a_key_it_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with fred_server(sample_world(dt.date(2026, 5, 31))) as fred:
        cases = [(KEY, fred.url), ("f" * 32, fred.url), (KEY, "http://127.0.0.1:9/fred")]
        found = [failures(monkeypatch, capsys, FRED_API_KEY=key, FRED_ROOT_URL=url) for key, url in cases]
    right, wrong, unreachable = ([line for line in lines if "FRED_API_KEY" in line] for lines in found)
    assert right == unreachable == []
    assert len(wrong) == 1 and "FRED refuses the key" in wrong[0]


def test_doctor_quotes_freds_terms_next_to_an_accepted_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with fred_server(sample_world(dt.date(2026, 5, 31))) as fred:
        for name, value in {"FRED_API_KEY": KEY, "FRED_ROOT_URL": fred.url, "REGIME_PROFILE": "live"}.items():
            monkeypatch.setenv(name, value)
        assert main(["doctor"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if TERMS in line]
    assert line.startswith("WARN") and "docs/data_terms.md" in line


@pytest.mark.parametrize(
    "variables",
    [{"FRED_REQUESTS_PER_SECOND": "fast"}, {"SHILLER_URL": "nowhere"}, {"REGIME_DATA_DIR": "$NO_SUCH/x"}],
)
def test_doctor_names_every_configuration_that_a_run_refuses(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (name,) = variables
    found = failures(monkeypatch, capsys, **variables)
    assert len([line for line in found if "configuration" in line and name in line]) == 1


def test_the_line_about_the_key_does_not_depend_on_other_variables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGIME_PROFILE", "sample")
    monkeypatch.setenv("REGIME_AS_OF", "yesterday")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "FRED_API_KEY" in line and "not needed" in line] != []
