"""What `doctor` says of history, scheduler, publishers and alerts; every fault with what to do."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from pipelines.commands import doctor_service
from pipelines.commands.doctor import Finding
from pipelines.commands.doctor_service import alerts, history, publishers
from pipelines.settings import Places
from tests.fakes.fred_server import fred_server
from tests.fakes.fred_world import KEY, sample_world


@dg.op
def breaks() -> None:
    raise ValueError("no")


@dg.job(name="nightly", executor_def=dg.in_process_executor)
def failing() -> None:
    breaks()


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return Places(tmp_path, tmp_path / "data", home)


@pytest.fixture
def instance(places: Places) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as made:
        yield made


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.what: finding for finding in findings}


def test_a_new_installation_has_nothing_wrong(places: Places) -> None:
    (found,) = history(places)
    assert (found.level, found.text) == ("OK", "none yet: run `make run`")


def test_a_failed_run_and_a_silent_scheduler_are_warnings(
    places: Places, instance: dg.DagsterInstance
) -> None:
    from pipelines.definitions import defs

    failing.execute_in_process(instance=instance, raise_on_error=False)
    before = dt.datetime.now(dt.UTC).timestamp() - 3600
    instance.add_daemon_heartbeat(DaemonHeartbeat(before, "SCHEDULER", "id", []))
    found = by_name(history(places))
    assert found["last run"].level == found["scheduler"].level == "WARN"
    assert "make ui" in found["last run"].text and "make ui" in found["scheduler"].text
    assert "schedule" not in found
    assert defs.resolve_schedule_def("nightly_schedule").name == doctor_service._SCHEDULE


def test_a_history_that_cannot_be_read_leaves_the_other_lines(places: Places) -> None:
    (places.dagster_home / "history").mkdir()
    (places.dagster_home / "dagster.yaml").write_text("storage: {postgres: {postgres_db: {}}}\n")
    (found,) = history(places)
    assert found.level == "WARN" and "is not understood" in found.text and "\n" not in found.text


def test_publishers_are_reached_only_in_live(monkeypatch: pytest.MonkeyPatch, places: Places) -> None:
    assert "none is asked" in publishers(places, {"REGIME_PROFILE": "sample"})[0].text
    monkeypatch.setattr(doctor_service, "choose_profile", lambda _: "live")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        here = f"http://127.0.0.1:{server.getsockname()[1]}"
        variables = {variable: here for variable, _ in doctor_service._ADDRESSES.values()}
        assert publishers(places, variables)[0].text == "5 of 5 answer"
    (found,) = publishers(places, variables)
    assert found.level == "WARN" and "fred (127.0.0.1)" in found.text and "_URL" in found.text


def test_every_publisher_has_an_address(places: Places) -> None:
    assert set(doctor_service._hosts({})) == set(doctor_service._ADDRESSES)


def test_alerts_say_who_is_told_and_what_is_not_understood() -> None:
    assert alerts({})[0].level == "OK"
    assert "target 1 (json)" in alerts({"REGIME_ALERT_URLS": "json://127.0.0.1:9/x"})[0].text
    assert alerts({"REGIME_ALERT_URLS": "nosuch://x"})[0].level == "FAIL"


def doctor_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **variables: str
) -> tuple[int, list[str]]:
    """Exit status and failing lines of `doctor`."""
    from pipelines.__main__ import main

    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(doctor_service, "publishers", lambda *_: [])
    status = main(["doctor"])
    return status, [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]


@pytest.mark.parametrize("key", ["your_key_here", "0" * 33, "A" * 32, "0123 " * 6])
def test_doctor_fails_for_a_key_that_a_run_refuses_at_once(
    key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, failures = doctor_lines(monkeypatch, capsys, FRED_API_KEY=key)
    assert status == 1 and any("32 lower-case letters and digits" in line for line in failures)
    assert not any(key in line for line in failures)


def test_doctor_asks_fred_and_fails_only_for_a_key_it_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with fred_server(sample_world(dt.date(2026, 5, 31))) as fred:
        said = {
            key: doctor_lines(monkeypatch, capsys, FRED_API_KEY=key, FRED_ROOT_URL=fred.url)[1]
            for key in (KEY, "f" * 32)
        }
    unreachable = doctor_lines(
        monkeypatch, capsys, FRED_API_KEY=KEY, FRED_ROOT_URL="http://127.0.0.1:9/fred"
    )[1]
    about_the_key = {
        name: [line for line in lines if "FRED_API_KEY" in line]
        for name, lines in {**said, "unreachable": unreachable}.items()
    }
    assert about_the_key[KEY] == about_the_key["unreachable"] == []
    assert len(about_the_key["f" * 32]) == 1 and "FRED refuses the key" in about_the_key["f" * 32][0]


@pytest.mark.parametrize(
    "variables",
    [{"FRED_REQUESTS_PER_SECOND": "fast"}, {"SHILLER_URL": "nowhere"}, {"REGIME_DATA_DIR": "$NO_SUCH/x"}],
)
def test_doctor_names_every_configuration_that_a_run_refuses(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, failures = doctor_lines(monkeypatch, capsys, **variables)
    (name,) = variables
    assert status == 1 and len([line for line in failures if "configuration" in line and name in line]) == 1
