"""One run at a time: a file lock the kernel frees when its holder dies, and a note naming the holder.

The lock is the file's, never the note's: a note left by a killed process means nothing. A run also keeps a marker
locked: one that is there and free is the evidence that its process was killed.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from assets.warehouse.connection import LockHeld, Log, WarehouseError, make_passable

if TYPE_CHECKING:
    from assets.warehouse.shared_lock import SharedLock

_POLL_SECONDS = 0.25
_MARKER_WAIT_SECONDS = 5.0
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# One object per process and file, so that a process may take a lock again; collected, it would be released.
_locks: dict[tuple[int, Path], FileLock] = {}


@dataclass(frozen=True)
class Holder:
    """Who holds the lock. `since` is UTC, ISO 8601."""

    pid: int
    command: str
    since: str
    host: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid} on {self.host}, since {self.since})"


class RunLock:
    """The lock of one data directory. Re-entrant: a process that holds it may take it again.

    `shared` is taken after the file lock, and holds for other machines too.
    """

    def __init__(self, path: Path, shared: SharedLock | None = None) -> None:
        self.path = path.absolute()
        self._shared = shared
        self._note = self.path.with_name(self.path.name + ".json")

    def acquire(self, wait_seconds: float = 0.0, log: Log | None = None) -> None:
        """Take the lock, waiting up to `wait_seconds`; logs once who holds it.

        Raises LockHeld naming the holder, WarehouseError when the directory cannot be written.
        """
        lock, until = _file_lock(self.path), time.monotonic() + wait_seconds
        is_again = lock.is_locked
        if not _taken(lock, 0.0):
            if wait_seconds > 0 and log is not None:
                log(f"waiting up to {wait_seconds:.0f} s for {self._holder_text()}")
            if wait_seconds <= 0 or not _taken(lock, wait_seconds):
                raise LockHeld(f"another run holds the lock: {self._holder_text()}")
        if not is_again:
            self._write_note()
        if self._shared is not None:
            try:
                self._shared.acquire(max(0.0, until - time.monotonic()), log)
            except BaseException:
                self._release_file()
                raise

    def release(self) -> None:
        """Give the lock back once for every time it was taken."""
        if self._shared is not None:
            self._shared.release()
        self._release_file()

    def confirm(self) -> None:
        """Raise LockLost when the lock shared with other machines was lost; the kernel keeps a file lock."""
        if self._shared is not None:
            self._shared.confirm()

    def _release_file(self) -> None:
        lock = _file_lock(self.path)
        if lock.lock_counter == 1:
            self._note.unlink(missing_ok=True)
        lock.release()

    @contextmanager
    def held(self, wait_seconds: float = 0.0, log: Log | None = None) -> Iterator[None]:
        """The lock for the length of a block; see `acquire`."""
        self.acquire(wait_seconds, log)
        try:
            yield
        finally:
            self.release()

    def holder(self) -> Holder | str | None:
        """Who holds the lock: by its note, unless that is of a dead process, else by the lock shared with others."""
        return self._noted_holder() or (self._shared.holder() if self._shared is not None else None)

    def _noted_holder(self) -> Holder | None:
        try:
            holder = Holder(**json.loads(self._note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):  # no note, or one half written
            return None
        if holder.host == socket.gethostname() and not _process_exists(holder.pid):
            return None
        return holder

    def _holder_text(self) -> str:
        return str(self._noted_holder() or f"a process that left no note at {self.path.name}")

    def _write_note(self) -> None:
        program, *rest = sys.orig_argv or ["python"]
        command = " ".join(" ".join([Path(program).name, *rest]).split())[:120]
        since = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        holder = Holder(os.getpid(), command, since, socket.gethostname())
        with suppress(OSError):  # the note is a courtesy: a full disk must not prevent taking the lock
            self._note.write_text(json.dumps(asdict(holder)), encoding="utf-8")


def mark_run_alive(folder: Path, run_id: str) -> None:
    """Lock the marker of a run until this process ends, however it ends. The file stays. Harmless when called again.

    Raises WarehouseError when the directory cannot be written, LockHeld when another process executes the run.
    """
    path = _marker(folder, run_id)
    lock = _file_lock(path)
    if lock.is_locked:
        return
    if not _taken(lock, _MARKER_WAIT_SECONDS):
        raise LockHeld(f"run {run_id} is already being executed by another process")


def ended_runs(folder: Path) -> list[str]:
    """Runs of this host whose process has ended, however it ended: their markers are there, and free."""
    found = []
    for path in sorted(folder.glob(_marker_name("*"))):
        lock = _file_lock(path.absolute())
        if not lock.is_locked and _taken(lock, 0.0):
            lock.release()
            found.append(path.name.removeprefix("run-").partition("@")[0])
    return found


def forget_run(folder: Path, run_id: str) -> None:
    """Remove the marker of a run that has ended."""
    _marker(folder, run_id).unlink(missing_ok=True)


def _marker(folder: Path, run_id: str) -> Path:
    if not _RUN_ID.fullmatch(run_id):
        raise ValueError(f"not a run id: {run_id!r}")
    return folder.absolute() / _marker_name(run_id)


def _marker_name(run_id: str) -> str:
    """With the host: the lock of a file on a shared disk proves nothing about a process of another machine."""
    return f"run-{run_id}@{socket.gethostname()}.lock"


def _file_lock(path: Path) -> FileLock:
    """A lock the kernel keeps: never filelock's fallback to a file whose existence is the lock."""
    try:
        make_passable(path.parent)
    except OSError as error:
        raise WarehouseError(f"{path.parent}: {error.strerror}; check REGIME_DATA_DIR") from None
    key = (os.getpid(), path)
    if key not in _locks:
        _locks[key] = FileLock(path, thread_local=False, fallback_to_soft=False)
    return _locks[key]


def _taken(lock: FileLock, wait_seconds: float) -> bool:
    try:
        lock.acquire(timeout=wait_seconds, poll_interval=_POLL_SECONDS)
    except Timeout:
        return False
    except OSError as error:
        raise WarehouseError(f"{lock.lock_file}: {error.strerror or error}; check REGIME_DATA_DIR") from None
    return True


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        pass
    return True
