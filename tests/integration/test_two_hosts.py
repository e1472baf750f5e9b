"""Two hosts with one Dagster history in Postgres never run at once, and a lost lock stops the publication.

A second host is a process with another host name and another data directory, which has the same warehouse id, as a
copy made by a replicated disk has: no file lock is common to both. Postgres is a real server of this machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psycopg2
import pytest

from assets.publish.release import release
from assets.warehouse.connection import LockHeld, WarehouseError
from assets.warehouse.lock import RunLock
from assets.warehouse.shared_lock import ID_FILE, LockLost, SharedLock, warehouse_id
from pipelines.instance import run_lock
from pipelines.resources import RESOURCES
from pipelines.settings import load_folders
from tests.nightly_run import ROOT, running_night
from tests.postgres_server import PASSWORD, Server, stopped_server

HOSTS = ("host-a", "host-b")
# Another host: the name is that of the process only, as notes, markers and sessions are told. It holds the lock until
# its input ends, or, given a journal, writes there when it has got the lock and before it gives it back.
AS_HOST = """
import os, socket, sys, time
from pathlib import Path
socket.gethostname = lambda: sys.argv[1]
from assets.warehouse.lock import RunLock
from assets.warehouse.shared_lock import SharedLock, warehouse_id
folder = Path(sys.argv[2])
lock = RunLock(folder / "run.lock", SharedLock(sys.argv[3], warehouse_id(folder)))
if len(sys.argv) == 4:
    lock.acquire()
    print("held", flush=True)
    sys.stdin.read()
else:
    journal = os.open(sys.argv[4], os.O_WRONLY | os.O_APPEND)
    with lock.held(wait_seconds=100.0):
        for what in ("begin", "end"):
            os.write(journal, f"{what} {sys.argv[1]} {os.getpid()}\\n".encode())
            time.sleep(0.05)
"""
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'stimulus-regime%'"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The data directories of both hosts."""
    here, there = (tmp_path / host for host in HOSTS)
    warehouse_id(here)
    shutil.copytree(here, there)
    return here, there


def lock_in(folder: Path, postgres: Server) -> RunLock:
    return RunLock(folder / "run.lock", SharedLock(postgres.address, warehouse_id(folder)))


def terminate_sessions(postgres: Server) -> int:
    """End the sessions that hold or want the lock, as an administrator, a restart or a broken network does."""
    admin = psycopg2.connect(host="127.0.0.1", port=postgres.port, user="postgres")
    with admin, admin.cursor() as cursor:
        cursor.execute(SESSIONS)
        found = [pid for (pid,) in cursor.fetchall()]
        for pid in found:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    admin.close()
    return len(found)


@contextmanager
def held_by_host(host: str, folder: Path, postgres: Server) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", AS_HOST, host, folder, postgres.address]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()


def test_twenty_contended_starts_of_two_hosts_never_overlap(
    folders: tuple[Path, Path], postgres: Server, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    journal.touch()
    started = [
        subprocess.Popen(
            [sys.executable, "-c", AS_HOST, HOSTS[n % 2], folders[n % 2], postgres.address, journal], cwd=ROOT
        )
        for n in range(20)
    ]
    assert [process.wait(timeout=100) for process in started] == [0] * 20
    lines = [line.split() for line in journal.read_text().splitlines()]
    begun, ended = lines[::2], lines[1::2]
    assert [what for what, *_ in lines] == ["begin", "end"] * 20
    assert [who for _, *who in begun] == [who for _, *who in ended]
    assert sorted(host for _, host, _ in begun) == [HOSTS[0]] * 10 + [HOSTS[1]] * 10


def test_the_other_host_is_refused_with_the_name_of_the_holder_and_waits_if_asked(
    folders: tuple[Path, Path], postgres: Server
) -> None:
    here, there = folders
    lines: list[str] = []
    with held_by_host(HOSTS[1], there, postgres) as holder:
        with pytest.raises(LockHeld) as caught:
            lock_in(here, postgres).acquire()
        named = f"stimulus-regime, pid {holder.pid} on host-b, since 20"
        assert str(caught.value).startswith(f"another run holds the lock: {named}")
        assert RunLock(here / "run.lock").holder() is None  # the file lock was given back
        assert str(lock_in(here, postgres).holder()).startswith(named)  # as `doctor` shows it
        with pytest.raises(LockHeld):
            lock_in(here, postgres).acquire(0.6, lines.append)
        assert len(lines) == 1 and named in lines[0]
        threading.Timer(1.0, holder.kill).start()
        with lock_in(here, postgres).held(30.0):  # Postgres frees the lock of a killed process
            pass


def test_a_process_may_take_its_lock_again_and_notices_an_ended_session(
    folders: tuple[Path, Path], postgres: Server, tmp_path: Path
) -> None:
    here, there = folders
    lock = lock_in(here, postgres)
    with lock.held(), lock_in(tmp_path / "elsewhere", postgres).held():  # another warehouse has another lock
        with lock_in(here, postgres).held():
            pass
        lock.confirm()
        assert terminate_sessions(postgres) == 2
        with held_by_host(HOSTS[1], there, postgres), pytest.raises(LockLost) as caught:
            lock.confirm()
        text = str(caught.value)
        assert text.startswith("the run lock in Postgres was lost (") and "\n" not in text
        assert text.endswith("previous publication is unchanged; run again")
    with lock.held():  # a new session
        lock.confirm()


def test_a_missing_server_and_a_broken_id_are_one_line(tmp_path: Path) -> None:
    lock = RunLock(tmp_path / "run.lock", SharedLock(stopped_server().address, warehouse_id(tmp_path)))
    with pytest.raises(
        WarehouseError, match=r"^the run lock in Postgres cannot be taken: .*refused"
    ) as caught:
        lock.acquire()
    assert PASSWORD not in str(caught.value) and "\n" not in str(caught.value)
    (tmp_path / ID_FILE).write_text("")
    with pytest.raises(WarehouseError, match=r"not an id: restore it from a backup"):
        warehouse_id(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_night_on_postgres_publishes_once_and_not_after_its_lock_was_lost(
    postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night on host A; host B is refused. Then a run whose session ends does not publish."""
    here, there = (tmp_path / host for host in HOSTS)
    ours = postgres.environment_in(tmp_path / "home") | {"REGIME_PROFILE": "sample"}
    environ = {**os.environ, **ours, "REGIME_DATA_DIR": str(here)}
    with running_night(environ) as first:
        wait_for(lambda: (here / "run.lock.json").is_file() and (here / ID_FILE).is_file(), 60)
        there.mkdir()
        shutil.copyfile(here / ID_FILE, there / ID_FILE)
        with running_night({**environ, "REGIME_DATA_DIR": str(there)}) as second:
            _, refused = second.communicate(timeout=120)
        assert (second.returncode, first.poll()) == (2, None)
        last = refused.strip().splitlines()[-1]
        assert last.startswith(f"error: another run holds the lock: stimulus-regime, pid {first.pid} on ")
        assert not (there / "published").exists()
        _, errors = first.communicate(timeout=600)
    assert first.returncode == 0, errors

    published = here / "published" / "regime.duckdb"
    before = published.stat()
    for name, value in {**ours, "REGIME_DATA_DIR": str(here)}.items():
        monkeypatch.setenv(name, value)
    ended = threading.Event()

    def end_first_session() -> None:
        wait_for(lambda: terminate_sessions(postgres) == 1, 120)
        ended.set()

    with dg.DagsterInstance.get() as instance:
        assert run_lock(load_folders({**ours, "REGIME_DATA_DIR": str(here)})).holder() is None
        threading.Thread(target=end_first_session).start()
        result = dg.materialize([release], instance=instance, resources=RESOURCES, raise_on_error=False)
        assert ended.is_set() and not result.success
        (failure,) = [event for event in result.all_events if event.is_step_failure]
        error = failure.step_failure_data.error
        assert error is not None and "the run lock in Postgres was lost (" in error.message
        after = published.stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        assert len(list((here / "published" / "releases").iterdir())) == 1


def wait_for(happened: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.1)
