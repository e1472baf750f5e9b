"""Alerts as they arrive: problems of a real run history, sent to a receiver on the loopback."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from assets.publish.publication import PublicationBlocked
from pipelines.alerts import Sent, masked, remembered, review, send, targets
from pipelines.definitions import nightly_schedule
from pipelines.problems import Change, Message, last_expected, silent_scheduler, situation_of
from pipelines.run_history import alerts_sensor
from pipelines.settings import ConfigurationError, Secret, Settings, load_settings
from tests.fakes import faults
from tests.fakes.server import Loopback, Served, running

KEY = "0123456789abcdef0123456789abcdef"
MONDAY_NIGHT = dt.datetime(2026, 6, 2, 1, 30, tzinfo=dt.UTC)  # 21:30 in New York


class Receiver(Loopback):
    """A server that stores what it receives."""

    @property
    def url(self) -> str:
        return f"{self.root.replace('http://', 'json://user:hush@')}/alerts"

    @property
    def received(self) -> list[dict[str, Any]]:
        return [json.loads(request.query["body"]) for request in self.requests]

    @property
    def titles(self) -> list[str]:
        return [message["title"].removeprefix("stimulus-regime: ") for message in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running(Receiver({"/alerts": Served(b"")})) as server:
        yield server


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
    text = "137 of 496 rows failed real_10y_pct__in_range."
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.ERROR, description=text)


@dg.asset(deps=[table])
def release() -> None: ...


BLOCKED = dg.Definitions(
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


def test_failure_is_reported_once_without_secrets_and_its_end_once(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    run(failing, instance)
    review(settings, instance)
    review(settings, instance)  # as another process a moment later
    (message,) = receiver.received
    assert receiver.titles == ["The nightly run failed"]
    assert "api_key=*** answered 503" in message["message"]
    assert KEY not in json.dumps(receiver.received)
    run(passing, instance)
    review(settings, instance)
    review(settings, instance)
    assert receiver.titles[1:] == ["Solved: the nightly run publishes"]


def test_blocked_publication_names_the_check_and_its_rows(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    run(BLOCKED.resolve_job_def("nightly"), instance)
    lines = review(settings, instance)
    assert receiver.titles == ["Publication blocked: table suite"]
    assert "137 of 496 rows failed real_10y_pct__in_range." in receiver.received[0]["message"]
    assert lines == [Sent("alerts: sent to target 1 (json): Publication blocked: table suite")]


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (PublicationBlocked(["regime__in_range"]), "Publication blocked"),
        (RuntimeError("no publication contains this column"), "The nightly run failed"),
    ],
)
def test_only_the_gates_error_is_a_blocked_publication(
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


def test_a_receiver_that_is_down_gets_the_message_when_it_is_back(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    run(failing, instance)
    receiver.faults = [faults.status(503)]
    ((line, is_unsent),) = review(settings, instance)
    assert is_unsent and "could not be reached, will be tried again" in line and "hush" not in line
    receiver.requests.clear()
    review(settings, instance)
    assert receiver.titles == ["The nightly run failed"]


def test_overdue_and_hanging_runs_are_reported_and_nothing_before_the_first_run(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    assert situation_of(settings, instance, MONDAY_NIGHT).problems == ()
    instance.create_run_for_job(passing, status=dg.DagsterRunStatus.STARTED)
    now = dt.datetime.now(dt.UTC)
    assert review(settings, instance, now=now + dt.timedelta(minutes=40)) == []
    review(settings, instance, now=now + dt.timedelta(days=8))
    assert receiver.titles == ["The nightly run is overdue", "A nightly run hangs"]


def test_expected_moments_are_those_of_the_schedule() -> None:
    assert nightly_schedule.cron_schedule == "30 21 * * 1-5"
    friday = MONDAY_NIGHT - dt.timedelta(days=3)
    assert last_expected(MONDAY_NIGHT) == MONDAY_NIGHT
    assert last_expected(MONDAY_NIGHT - dt.timedelta(minutes=1)) == friday
    assert last_expected(dt.datetime(2026, 3, 10, tzinfo=dt.UTC)).isoformat() == "2026-03-06T21:30:00-05:00"


def test_a_silent_scheduler_is_reported_from_outside(instance: dg.DagsterInstance) -> None:
    from dagster._daemon.types import DaemonHeartbeat

    now = dt.datetime.now(dt.UTC)
    assert silent_scheduler(instance, now) == []  # none ever ran here
    instance.add_daemon_heartbeat(DaemonHeartbeat(now.timestamp(), "SCHEDULER", "id", []))
    assert silent_scheduler(instance, now + dt.timedelta(minutes=9)) == []
    (problem,) = silent_scheduler(instance, now + dt.timedelta(minutes=11))
    assert problem.title == "The scheduler is not running" and "scheduler" in problem.body


def test_nothing_is_sent_without_an_address(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REGIME_ALERT_URLS")
    run(failing, instance)
    assert review(settings, instance) == []
    assert receiver.received == []
    assert not (settings.data_dir / "alerts.json").exists()


def test_the_sensor_sends_and_starts_no_run(
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
        assert sorted(bool(target.get("outages")) for target in memory.values()) == [False, True]
    stored = (settings.data_dir / "alerts.json").read_text()
    assert "hush" not in stored and "127.0.0.1" not in stored


def test_an_invalid_address_is_reported_without_its_secrets() -> None:
    with pytest.raises(ConfigurationError) as caught:
        targets({"REGIME_ALERT_URLS": "nosuch://user:hush@example.org"})
    assert "nosuch://..." in str(caught.value) and "hush" not in str(caught.value)


def test_secrets_are_masked_in_any_text(receiver: Receiver) -> None:
    text = f"GET https://u:pw@example.org/x?api_key={KEY}&b=1 token=abc"
    assert masked(text, []) == "GET https://***@example.org/x?api_key=***&b=1 token=***"
    (target,) = targets({"REGIME_ALERT_URLS": receiver.url})
    change = Change(("x",))
    assert send(target, Message(f"key {KEY}", receiver.url, "info", change), [Secret(KEY)])
    sent = json.dumps(receiver.received)
    assert KEY not in sent and "hush" not in sent
    assert "hush" not in repr(target)


def test_stale_inputs_and_a_change_of_regime_reach_the_receiver_once_with_evidence(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance, night: Any
) -> None:
    settings.published_path.parent.mkdir(parents=True)
    night.staged.rename(settings.published_path)
    run(passing, instance)
    review(settings, instance)  # stores the label, and reports what is stale
    assert [title for title in receiver.titles if "EBP" in title] == receiver.titles
    with duckdb.connect(str(settings.published_path)) as con:
        con.execute(
            "UPDATE regime SET regime = 'tightening_into_bubble', stance = 'tightening' WHERE as_of_date = '2026-09-30'"
        )
    for _ in range(2):
        review(settings, instance)
    (changed,) = (body for body in receiver.received if "tightening_into_bubble" in json.dumps(body))
    text = json.dumps(changed)
    assert "neutral_bubble" in text and "stance" in text and "equity value to GDP" in text
