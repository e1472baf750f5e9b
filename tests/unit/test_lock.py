"""One run at a time: the second is refused with the name of the holder, and a killed holder holds nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assets.warehouse.connection import LockHeld, WarehouseError
from assets.warehouse.lock import Holder, RunLock, ended_runs, forget_run, mark_run_alive

HOLD = """
import sys, time
from pathlib import Path
from assets.warehouse.lock import RunLock, mark_run_alive
RunLock(Path(sys.argv[1])).acquire()
mark_run_alive(Path(sys.argv[1]).parent, "run-of-the-child")
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def another_process_holding(path: Path, project_root: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock and a run's marker until it is killed."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, cwd=project_root, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()
            child.wait()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "run.lock"


def test_a_second_process_is_refused_with_the_holders_name_and_a_killed_holder_frees_the_lock(
    path: Path, project_root: Path
) -> None:
    lines: list[str] = []
    with another_process_holding(path, project_root) as child:
        for wait in (0.0, 0.3):
            with pytest.raises(LockHeld) as caught:
                RunLock(path).acquire(wait, lines.append)
            message = str(caught.value)
            assert message.startswith("another run holds the lock: python") and "\n" not in message
            assert f"(pid {child.pid} on " in message
        assert len(lines) == 1 and lines[0].startswith("waiting up to 0 s for python")
        os.kill(child.pid, signal.SIGKILL)
        with RunLock(path).held(wait_seconds=20.0):
            holder = RunLock(path).holder()
            assert isinstance(holder, Holder) and holder.pid == os.getpid()


def test_process_that_holds_it_may_take_it_again(path: Path, project_root: Path) -> None:
    probe = "import sys; from pathlib import Path; from assets.warehouse.lock import RunLock;"
    probe += "RunLock(Path(sys.argv[1])).acquire()"

    def somebody_else_gets_it() -> bool:
        done = subprocess.run([sys.executable, "-c", probe, str(path)], cwd=project_root, capture_output=True)
        return done.returncode == 0

    with RunLock(path).held():
        with RunLock(path).held():
            pass
        assert not somebody_else_gets_it()
    assert somebody_else_gets_it()


def test_note_of_a_dead_process_means_nothing(path: Path) -> None:
    lock = RunLock(path)
    with lock.held():
        note = json.loads(path.with_name("run.lock.json").read_text(encoding="utf-8"))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    path.with_name("run.lock.json").write_text(json.dumps({**note, "pid": gone.pid}), encoding="utf-8")
    assert lock.holder() is None
    path.with_name("run.lock.json").write_text("{half a no", encoding="utf-8")
    assert lock.holder() is None
    with lock.held():
        assert lock.holder() is not None


def test_lock_in_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a directory should be")
    with pytest.raises(WarehouseError, match="check REGIME_DATA_DIR"):
        RunLock(tmp_path / "data" / "run.lock").acquire()


def test_a_run_has_ended_when_its_marker_is_free_and_never_without_a_marker(
    path: Path, project_root: Path
) -> None:
    with another_process_holding(path, project_root) as child:
        assert ended_runs(path.parent) == []
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert ended_runs(path.parent) == ["run-of-the-child"]
    forget_run(path.parent, "run-of-the-child")
    assert ended_runs(path.parent) == []


def test_a_free_marker_of_another_host_or_of_this_process_proves_nothing_and_a_run_id_is_never_a_path(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir(parents=True)
    (path.parent / "run-elsewhere@another-host.lock").touch()
    for _ in range(2):
        mark_run_alive(path.parent, "5f0c2a52-0000-4000-8000-000000000000")
    assert ended_runs(path.parent) == []
    monkeypatch.setattr("socket.gethostname", lambda: "another-host")
    assert ended_runs(path.parent) == ["elsewhere"]
    with pytest.raises(ValueError, match="not a run id"):
        mark_run_alive(path.parent, "../../etc/passwd")
