"""Alerts as they arrive: runs of a real history, told to a receiver on the loopback."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from assets.publish.publication import PublicationBlocked
from pipelines.alerts import look
from pipelines.alerts.look import daemon_outage, last_expected, situation_of
from pipelines.alerts.memory import remembered
from pipelines.alerts.review import Told, review
from pipelines.alerts.situation import Change, Message, Situation
from pipelines.alerts.targets import masked, send, targets
from pipelines.schedules import nightly_schedule
from pipelines.sensors_alerts import alerts_sensor
from pipelines.settings import ConfigurationError, Secret, Settings, load_settings

KEY = "0123456789abcdef0123456789abcdef"
MONDAY_NIGHT = dt.datetime(2026, 6, 2, 1, 30, tzinfo=dt.UTC)  # 21:30 in New York


@dataclass
class Receiver:
    """A server that keeps what it was sent; `status` is what it answers."""

    url: str = ""
    status: int = 200
    received: list[dict[str, Any]] = field(default_factory=list)

    @property
    def titles(self) -> list[str]:
        return [message["title"].removeprefix("stimulus-regime: ") for message in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if kept.status == 200:
                kept.received.append(body)
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    kept.url = f"json://user:hush@127.0.0.1:{server.server_port}/alerts"
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


@dg.op
def work() -> None:
    raise ValueError(f"https://example.org/fred?api_key={KEY} answered 503")


@dg.job(name="nightly", executor_def=dg.in_process_executor)
def failing() -> None:
    work()


@dg.asset
def table() -> None: ...


@dg.asset_check(asset=table, blocking=True, name="suite")
def suite() -> dg.AssetCheckResult:
    said = "137 of 496 rows break real_10y_pct__in_range."
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.ERROR, description=said)


@dg.asset(deps=[table])
def release() -> None: ...


HELD = dg.Definitions(
    assets=[table, release],
    asset_checks=[suite],
    jobs=[dg.define_asset_job("nightly", selection=dg.AssetSelection.all())],
    executor=dg.in_process_executor,
)


@dg.op
def nothing() -> None: ...


@dg.job(name="nightly", executor_def=dg.in_process_executor)
def passing() -> None:
    nothing()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("REGIME_ALERT_URLS", receiver.url)
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("REGIME_PROFILE", "sample")
    monkeypatch.setenv("FRED_API_KEY", KEY)
    return load_settings()


def run(job: dg.JobDefinition, instance: dg.DagsterInstance) -> None:
    job.execute_in_process(instance=instance, raise_on_error=False)


def test_failure_is_told_once_without_secrets_and_its_end_once(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    run(failing, instance)
    review(settings, instance)
    review(settings, instance)  # another process, a moment later
    (message,) = receiver.received
    assert receiver.titles == ["The nightly run failed"]
    assert "api_key=*** answered 503" in message["message"]
    assert KEY not in json.dumps(receiver.received)
    run(passing, instance)
    review(settings, instance)
    review(settings, instance)
    assert receiver.titles[1:] == ["In order again: the nightly run publishes"]


def test_held_publication_names_the_check_and_its_rows(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    run(HELD.resolve_job_def("nightly"), instance)
    lines = review(settings, instance)
    assert receiver.titles == ["Publication held: table suite"]
    assert "137 of 496 rows break real_10y_pct__in_range." in receiver.received[0]["message"]
    assert lines == [Told("alerts: told target 1 (json): Publication held: table suite")]


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (PublicationBlocked(["regime__in_range"]), "Publication held"),
        (RuntimeError("no publication held this column"), "The nightly run failed"),
    ],
)
def test_only_the_gates_error_is_a_held_publication(
    error: Exception, title: str, settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    @dg.op
    def gate() -> None:
        raise error

    @dg.job(name="nightly", executor_def=dg.in_process_executor)
    def publishing() -> None:
        gate()

    run(publishing, instance)
    review(settings, instance)
    assert receiver.titles == [title]


def test_a_receiver_that_is_down_is_told_when_it_is_back(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    run(failing, instance)
    receiver.status = 503
    ((line, is_unsent),) = review(settings, instance)
    assert is_unsent and "could not be reached, will be tried again" in line and "hush" not in line
    receiver.status = 200
    review(settings, instance)
    assert receiver.titles == ["The nightly run failed"]


def test_an_overdue_run_is_told_by_whoever_looks(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(passing, instance)
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(days=8)
    review(settings, instance, now=ahead)
    assert receiver.titles == ["The nightly run is overdue"]


def test_nothing_is_overdue_before_the_first_run(settings: Settings, instance: dg.DagsterInstance) -> None:
    assert situation_of(settings, instance, MONDAY_NIGHT).outages == ()


def test_a_run_that_hangs_is_told(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    instance.create_run_for_job(passing, status=dg.DagsterRunStatus.STARTED)
    now = dt.datetime.now(dt.UTC)
    assert review(settings, instance, now=now + dt.timedelta(minutes=40)) == []
    review(settings, instance, now=now + dt.timedelta(minutes=50))
    assert "A nightly run hangs" in receiver.titles


def test_expected_moments_are_those_of_the_schedule() -> None:
    minute, hour, *rest = str(nightly_schedule.cron_schedule).split()
    assert (int(hour), int(minute)) == (look._EXPECTED_AT.hour, look._EXPECTED_AT.minute)
    assert rest == ["*", "*", "1-5"]
    assert nightly_schedule.execution_timezone == str(look._NEW_YORK)
    friday = MONDAY_NIGHT - dt.timedelta(days=3)
    assert last_expected(MONDAY_NIGHT) == MONDAY_NIGHT
    assert last_expected(MONDAY_NIGHT - dt.timedelta(minutes=1)) == friday
    assert last_expected(dt.datetime(2026, 3, 10, tzinfo=dt.UTC)).isoformat() == "2026-03-06T21:30:00-05:00"


def test_a_scheduler_that_fell_silent_is_told_from_outside(instance: dg.DagsterInstance) -> None:
    from dagster._daemon.types import DaemonHeartbeat

    now = dt.datetime.now(dt.UTC)
    assert daemon_outage(instance, now) == []  # none ever ran here
    instance.add_daemon_heartbeat(DaemonHeartbeat(now.timestamp(), "SCHEDULER", "id", []))
    assert daemon_outage(instance, now + dt.timedelta(minutes=9)) == []
    (outage,) = daemon_outage(instance, now + dt.timedelta(minutes=11))
    assert outage.title == "The scheduler is not running" and "scheduler" in outage.body


def test_nobody_is_told_by_default(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REGIME_ALERT_URLS")
    run(failing, instance)
    assert review(settings, instance) == []
    assert receiver.received == []
    assert not (settings.data_dir / "alerts.json").exists()


def test_the_sensor_tells_and_starts_no_run(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    run(failing, instance)
    tick = alerts_sensor(dg.build_sensor_context(instance=instance))
    assert isinstance(tick, dg.SkipReason)
    assert receiver.titles == ["The nightly run failed"]
    assert alerts_sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_two_targets_are_remembered_apart(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_dead = f"{receiver.url} json://127.0.0.1:9/nobody"
    monkeypatch.setenv("REGIME_ALERT_URLS", with_dead)
    run(failing, instance)
    for _ in range(2):
        review(settings, instance)
    assert receiver.titles == ["The nightly run failed"]
    with remembered(settings.data_dir) as memory:
        assert sorted(bool(told.get("outages")) for told in memory.values()) == [False, True]
    kept = (settings.data_dir / "alerts.json").read_text()
    assert "hush" not in kept and "127.0.0.1" not in kept


def test_an_address_not_understood_is_said_without_its_secrets() -> None:
    with pytest.raises(ConfigurationError) as caught:
        targets({"REGIME_ALERT_URLS": "nosuch://user:hush@example.org"})
    assert "nosuch://..." in str(caught.value) and "hush" not in str(caught.value)


def test_secrets_are_masked_in_any_text(receiver: Receiver) -> None:
    text = f"GET https://u:pw@example.org/x?api_key={KEY}&b=1 token=abc"
    assert masked(text, []) == "GET https://***@example.org/x?api_key=***&b=1 token=***"
    (target,) = targets({"REGIME_ALERT_URLS": receiver.url})
    change = Change(("x",))
    assert send(target, Message(f"key {KEY}", receiver.url, "info", change), [Secret(KEY)])
    said = json.dumps(receiver.received)
    assert KEY not in said and "hush" not in said
    assert "hush" not in repr(target)


def test_published_file_gives_verdict_and_inputs(
    settings: Settings, instance: dg.DagsterInstance, night: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.published_path.parent.mkdir(parents=True)
    night.staged.rename(settings.published_path)
    found: Situation = situation_of(settings, instance, MONDAY_NIGHT)
    assert found.verdict is not None and found.verdict.regime == "stimulus_into_bubble"
    assert {"as_of_date", "stance", "condition_state"} <= set(found.verdict.facts)
    assert any("earnings yield" in line for line in found.verdict.lines)
    (inputs,) = (outage for outage in found.outages if outage.topic == "inputs")
    assert "EBP" in inputs.title


def test_stale_inputs_and_a_change_of_regime_reach_the_receiver_once_with_evidence(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance, night: Any
) -> None:
    settings.published_path.parent.mkdir(parents=True)
    night.staged.rename(settings.published_path)
    run(passing, instance)
    review(settings, instance)  # the first look learns the label, and tells what is stale
    assert [title for title in receiver.titles if "EBP" in title] == receiver.titles
    with duckdb.connect(str(settings.published_path)) as con:
        con.execute(
            "UPDATE regime SET regime = 'neutral_bubble', stance = 'neutral' WHERE as_of_date = '2026-05-31'"
        )
    for _ in range(2):
        review(settings, instance)
    (changed,) = (body for body in receiver.received if "neutral_bubble" in json.dumps(body))
    said = json.dumps(changed)
    assert "stimulus_into_bubble" in said and "stance" in said and "earnings yield" in said
