"""Alerts as they arrive: problems of a real run history, sent to a receiver on the loopback; and which are due when."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from filelock import Timeout

from assets.publish.publication import PublicationBlocked
from pipelines import alerts as delivery
from pipelines.alerts import Sent, masked, remembered, review, send, targets
from pipelines.definitions import nightly_schedule
from pipelines.problems import (
    Change,
    Label,
    Message,
    Problem,
    Situation,
    due,
    last_expected,
    silent_changes,
    silent_scheduler,
    situation_of,
)
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


@dg.op
def gate() -> None:
    raise PublicationBlocked(["regime__in_range"])


@dg.job(name="nightly", executor_def=dg.in_process_executor)
def gated() -> None:
    gate()


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


def test_failure_is_reported_once_to_a_receiver_that_is_up_without_secrets_and_its_end_once(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    run(failing, instance)
    receiver.faults = [faults.status(503)]
    ((line, is_unsent),) = review(settings, instance)
    assert is_unsent and "could not be reached, will be tried again" in line and "hush" not in line
    receiver.requests.clear()
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


def test_blocked_publication_names_the_check_and_its_rows_or_is_the_gates_own_error(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    run(BLOCKED.resolve_job_def("nightly"), instance)
    lines = review(settings, instance)
    assert receiver.titles == ["Publication blocked: table suite"]
    assert "137 of 496 rows failed real_10y_pct__in_range." in receiver.received[0]["message"]
    assert lines == [Sent("alerts: sent to target 1 (json): Publication blocked: table suite")]
    run(gated, instance)
    review(settings, instance)
    assert receiver.titles[1:] == ["Publication blocked"]


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


def test_the_sensor_sends_to_an_address_alone_and_starts_no_run(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(failing, instance)
    for address, titles in (("", []), (receiver.url, ["The nightly run failed"])):
        monkeypatch.setenv("REGIME_ALERT_URLS", address)
        assert isinstance(alerts_sensor(dg.build_sensor_context(instance=instance)), dg.SkipReason)
        assert receiver.titles == titles and (settings.data_dir / "alerts.json").exists() == bool(titles)
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


def test_secrets_are_masked_in_any_text(receiver: Receiver) -> None:
    text = f"GET https://u:pw@example.org/x?api_key={KEY}&b=1 token=abc"
    assert masked(text, []) == "GET https://***@example.org/x?api_key=***&b=1 token=***"
    (target,) = targets({"REGIME_ALERT_URLS": receiver.url})
    change = Change(("x",))
    assert send(target, Message(f"key {KEY}", receiver.url, "info", change), [Secret(KEY)])
    sent = json.dumps(receiver.received)
    assert KEY not in sent and "hush" not in sent
    assert "hush" not in repr(target)
    with pytest.raises(ConfigurationError, match=r"nosuch://\.\.\.") as caught:
        targets({"REGIME_ALERT_URLS": "nosuch://user:hush@example.org"})
    assert "hush" not in str(caught.value)


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


NOW = dt.datetime(2026, 6, 1, 2, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
SUITE = Problem("run", "derived/real_yields suite", "Publication blocked", "137 of 496 rows failed")
FAILED = Problem("run", "disk full", "The nightly run failed", "")
STALE = Problem("inputs", "EBP", "1 input stale", "", "warning")
FINE = Situation(frozenset({"run", "inputs"}))
SOLVED = "Solved: the nightly run publishes"
FACTS = {"stance": "stimulus", "bubble_score": "0.67"}
BUBBLE = Label("live", "stimulus_into_bubble", FACTS, ("Stimulus into a bubble",))
PRICK = Label("live", "tightening_into_bubble", {**FACTS, "stance": "tightening"}, ("because",))
CHANGE = "Regime change: stimulus_into_bubble -> tightening_into_bubble"

_LOCKS_THE_MEMORY = """
import pathlib, sys
from pipelines.alerts import remembered
with remembered(pathlib.Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def having(*problems: Problem) -> Situation:
    return replace(FINE, problems=problems)


class Memory:
    """One target over time; `reached`: whether it can be reached now."""

    def __init__(self) -> None:
        self.memory: dict[str, Any] = {}

    def receives(self, situation: Situation, now: dt.datetime = NOW, *, reached: bool = True) -> list[str]:
        messages = due(situation, self.memory, now)
        if reached:
            for message in messages:
                message.remember.apply(self.memory)
        for change in silent_changes(situation, self.memory):
            change.apply(self.memory)
        self.memory = json.loads(json.dumps(self.memory))  # as after a restart
        return [message.title for message in messages]


# situation, hours since the first, whether the target is reached, and the titles due
Step = tuple[Situation, float, bool, list[str]]
TIMELINES: dict[str, list[Step]] = {
    "a cause once, then once a day": [
        (having(SUITE), 0, True, ["Publication blocked"]),
        (having(SUITE), 1, True, []),
        (having(SUITE), 24, True, ["Continues: Publication blocked"]),
        (having(SUITE), 25, True, []),
    ],
    "a new cause at once, an old one that returns not": [
        (having(SUITE), 0, True, ["Publication blocked"]),
        (having(FAILED), 1, True, ["The nightly run failed"]),
        (having(SUITE), 2, True, []),
    ],
    "the end once, and a new beginning anew": [
        (having(SUITE), 0, True, ["Publication blocked"]),
        (FINE, 1, True, [SOLVED]),
        (FINE, 2, True, []),
        (having(SUITE), 3, True, ["Publication blocked"]),
    ],
    "no end for a problem that was never received": [
        (having(SUITE), 0, False, ["Publication blocked"]),
        (FINE, 1, True, []),
    ],
    "an unsent message again": [
        (having(SUITE), 0, False, ["Publication blocked"]),
        (having(SUITE), 1, True, ["Publication blocked"]),
        (FINE, 2, False, [SOLVED]),
        (FINE, 3, True, [SOLVED]),
    ],
    "no end for a topic that was not checked": [
        (having(STALE), 0, True, ["1 input stale"]),
        (replace(FINE, checked=frozenset({"run"})), 1, True, []),
    ],
    "a stopped publisher weekly": [
        (having(STALE), 0, True, ["1 input stale"]),
        (having(STALE), 6 * 24, True, []),
        (having(STALE), 7 * 24, True, ["Continues: 1 input stale"]),
    ],
    "the first label silently, a change until it is received": [
        (replace(FINE, label=BUBBLE), 0, True, []),
        (replace(FINE, label=PRICK), 1, False, [CHANGE]),
        (replace(FINE, label=PRICK), 2, True, [CHANGE]),
        (replace(FINE, label=PRICK), 3, True, []),
    ],
    "no change between profiles": [
        (replace(FINE, label=replace(BUBBLE, profile="sample")), 0, True, []),
        (replace(FINE, label=PRICK), 1, True, []),
    ],
}


@pytest.mark.parametrize("name", TIMELINES)
def test_each_problem_is_reported_once_to_each_target(name: str) -> None:
    target = Memory()
    for situation, hours, reached, titles in TIMELINES[name]:
        assert target.receives(situation, NOW + hours * HOUR, reached=reached) == titles, hours


def test_memory_survives_a_restart_an_interruption_and_a_damaged_file(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), remembered(tmp_path) as memory:
        memory["a"] = {"outages": {}}
        raise KeyboardInterrupt
    with remembered(tmp_path) as memory:
        assert memory == {"a": {"outages": {}}}
    (tmp_path / "alerts.json").write_text("{")
    with remembered(tmp_path) as memory:
        assert memory == {}


def test_two_processes_never_send_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_WAIT_SECONDS", 0.3)
    with subprocess.Popen(
        [sys.executable, "-c", _LOCKS_THE_MEMORY, str(tmp_path)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(Timeout), remembered(tmp_path):
            pass
        other.kill()  # the kernel frees the lock of a process that is killed
        other.wait()
    with remembered(tmp_path) as memory:
        assert memory == {}
