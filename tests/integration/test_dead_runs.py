"""A run whose process was killed never blocks the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest

from assets.warehouse.lock import RunLock, mark_run_alive
from pipelines.definitions import defs
from pipelines.run_history import COMMAND_TAG, DATA_DIR_TAG, dead_runs_sensor, fail_dead_runs
from tests.interface import Interface, free_port, start_ui, wait_until_served
from tests.nightly_run import ROOT, new_installation, running_night

# Dagster's daemon looks for a lost code server once a minute.
CODE_SERVER_SECONDS = 60
STARTED, FAILURE = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE
LOCATION = {"repositoryLocationName": "stimulus_regime", "repositoryName": "__repository__"}
LAUNCH = """
mutation($selector: JobOrPipelineSelector!) {
  launchRun(executionParams: {selector: $selector, runConfigData: {}}) {
    __typename ... on LaunchRunSuccess { run { runId } }
  }
}
"""


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def a_run(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus = STARTED, tags: dict[str, str] | None = None
) -> str:
    """A run that is in progress according to the history."""
    return instance.create_run_for_job(defs.resolve_job_def("nightly"), status=status, tags=tags or {}).run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def ended(*markers: tuple[Path, str]) -> None:
    """The markers, folder and run, that a killed process leaves."""
    mark = "import sys, pathlib; from assets.warehouse.lock import mark_run_alive\n"
    mark += (
        "for folder, run in zip(sys.argv[1::2], sys.argv[2::2]): mark_run_alive(pathlib.Path(folder), run)"
    )
    words = [str(word) for marker in markers for word in marker]
    subprocess.run([sys.executable, "-c", mark, *words], cwd=ROOT, check=True)


def test_only_a_run_whose_process_has_ended_is_closed(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """By a marker in the run's own data directory; those of finished runs go, those of another history are left."""
    dead, living, unseen, elsewhere = (a_run(instance) for _ in range(4))
    own = tmp_path / "own"
    living_there, dead_there = (a_run(instance, tags={DATA_DIR_TAG: str(own)}) for _ in range(2))
    finished = a_run(instance, dg.DagsterRunStatus.SUCCESS)
    ended(
        (tmp_path, dead), (tmp_path / "not visible from here", elsewhere), (own, dead_there), (tmp_path, finished),
        (tmp_path, "of-another-history"),
    )  # fmt: skip
    mark_run_alive(tmp_path, living)
    mark_run_alive(own, living_there)
    assert set(fail_dead_runs(instance, tmp_path)) == {dead, dead_there}
    assert [status_of(instance, run) for run in (dead, dead_there)] == [FAILURE] * 2
    assert [status_of(instance, run) for run in (living, unseen, elsewhere, living_there)] == [STARTED] * 4
    assert status_of(instance, finished) == dg.DagsterRunStatus.SUCCESS
    left = {path.name.partition("@")[0] for path in tmp_path.glob("run-*")}
    assert left == {f"run-{living}", "run-of-another-history"}


def test_a_command_killed_before_its_run_set_a_marker_is_closed(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """The run counts as started before its resources are made; without this the queue waited for it for ever."""
    dead = a_run(instance, tags={COMMAND_TAG: "command"})
    ended((tmp_path, "command"))
    assert fail_dead_runs(instance, tmp_path) == [dead]
    assert status_of(instance, dead) == FAILURE
    assert not list(tmp_path.iterdir())


def test_the_daemon_looks_by_itself_and_starts_nothing(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path))
    run = a_run(instance)
    ended((tmp_path, run))
    ticks = [dead_runs_sensor(dg.build_sensor_context(instance=instance)) for _ in range(2)]
    assert all(isinstance(tick, dg.SkipReason) for tick in ticks)
    assert [tick.skip_message for tick in ticks] == [f"closed: {run}", "no unfinished run was killed"]
    assert dead_runs_sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert dead_runs_sensor in (defs.sensors or [])


class Installation:
    """Daemon and webserver as `make ui` starts them, which a supervisor starts again; one history for all kills."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder, self.data, self.instance = folder, folder / "data", instance
        self.last = 0
        self.start()

    def start(self) -> None:
        self.environ = new_installation(self.folder).environment
        port, log = free_port(), self.folder / "ui.log"
        self.ui, url = start_ui(self.environ, port, log), f"http://127.0.0.1:{port}"
        self.interface = Interface(url, self.data, self.ui)
        wait_until_served(url, self.ui, log)

    def stop(self) -> None:
        self.ui.send_signal(signal.SIGTERM)
        self.ui.wait(timeout=60)

    def launch(self) -> None:
        """Put a run in the queue."""
        launched = self.interface.ask(LAUNCH, selector={**LOCATION, "jobName": "nightly"})["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched

    def at_work(self) -> tuple[psutil.Process, str]:
        """Process and id of the newest run, as soon as it has the run lock and is in the history as started."""
        lock = RunLock(self.data / "run.lock")
        holder = None
        until = time.monotonic() + 180
        while holder is None or holder.pid == self.last or not self.is_started():
            assert time.monotonic() < until, "no run began"
            time.sleep(0.02)  # killed as it begins, before its resources are made
            holder = lock.holder()
        self.last = holder.pid
        return psutil.Process(holder.pid), newest(self.instance).run_id

    def is_started(self) -> bool:
        return any(run.status == STARTED for run in self.instance.get_runs(limit=1))

    def closes(self, run_id: str, seconds: float = 60) -> None:
        wait_for(lambda: status_of(self.instance, run_id) == FAILURE, seconds)

    def daemon(self) -> psutil.Process:
        children = psutil.Process(self.ui.pid).children()
        (found,) = [c for c in children if any("dagster-daemon" in word for word in c.cmdline())]
        return found


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_whatever_is_killed_the_run_is_closed_within_a_minute_and_a_queued_one_is_repeated_once(
    tmp_path: Path,
) -> None:
    """Killed one after another: a command, a code server with its run, a daemon with all it started, a queued run.

    The run of the daemon is the second attempt of the one before, which is not repeated; the last is.
    """
    with dg.DagsterInstance.from_config(new_installation(tmp_path).environment["DAGSTER_HOME"]) as instance:
        one = Installation(tmp_path, instance)
        try:
            with running_night(one.environ):
                _, first = one.at_work()
            one.launch()
            run, second = one.at_work()  # it does not wait for the dead one
            assert status_of(instance, first) == FAILURE
            server = run.parent()
            assert server is not None and "grpc" in server.cmdline()
            for process in (server, run):
                process.kill()
            one.closes(second, CODE_SERVER_SECONDS + 60)

            (run, third), daemon = one.at_work(), one.daemon()
            assert daemon in run.parents()
            os.killpg(daemon.pid, signal.SIGKILL)
            assert one.ui.wait(timeout=60) == 1
            one.start()
            one.closes(third)

            one.launch()
            run, fourth = one.at_work()
            run.kill()
            one.closes(fourth)
            _, fifth = one.at_work()
            ids = [run.run_id for run in reversed(instance.get_runs())]
            assert ids == [first, second, third, fourth, fifth]
        finally:
            one.stop()


def newest(instance: dg.DagsterInstance) -> dg.DagsterRun:
    return instance.get_runs(limit=1)[0]


def wait_for(happened: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s")
