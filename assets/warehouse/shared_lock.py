"""The lock of a data directory that several machines use: an advisory lock of the Postgres that has Dagster's history.

It belongs to a database session of its own: Postgres frees it when the session ends, however the process or its machine
ends. The file lock of `lock.py` cannot do this: on a shared disk it may not hold, and copies have one each.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
import uuid
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import sqlalchemy as sa
from psycopg2.extensions import connection as Session

from assets.warehouse.connection import LockHeld, Log, WarehouseError, make_passable

if TYPE_CHECKING:
    import dagster as dg

ID_FILE = "warehouse.id"
_POLL_SECONDS = 0.5
# A dead peer is noticed within a minute, in the check before the swap too, and a firewall sees a session in use.
_NETWORK = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
_MATCHES = (
    "locktype = 'advisory' AND objsubid = 1 AND ((classid::bigint << 32) | objid::bigint) = %s AND granted"
)
_IS_MINE = f"SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND {_MATCHES}"
_HOLDER = f"""
SELECT application_name, to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE datname = current_database() AND {_MATCHES}
"""
# One session per process and lock, so that a process may take a lock again: the session, and how often it was taken.
_sessions: dict[tuple[int, int], tuple[Session, int]] = {}


class LockLost(WarehouseError):
    """The lock was held and is not any more: one line with the reason."""


def shared_lock(instance: dg.DagsterInstance, folder: Path) -> SharedLock | None:
    """The lock of the data directory `folder` in the Postgres with Dagster's history; None when it is elsewhere."""
    from dagster_postgres import PostgresRunStorage

    storage = instance.run_storage
    if not isinstance(storage, PostgresRunStorage):
        return None
    return SharedLock(storage.postgres_url, warehouse_id(folder))


def warehouse_id(folder: Path) -> str:
    """The id of a data directory, made at the first call. A copy of the directory has the same one."""
    path = folder / ID_FILE
    new = path.with_name(f".{ID_FILE}.{uuid.uuid4()}")
    try:
        if not path.exists():
            make_passable(folder)
            new.write_text(f"{uuid.uuid4()}\n", encoding="utf-8")
            with suppress(FileExistsError):  # another machine was faster: its id is the one
                os.link(new, path)
            new.unlink()
        found = path.read_text(encoding="utf-8").strip()
        return str(uuid.UUID(found))
    except OSError as error:
        raise WarehouseError(f"{path}: {error.strerror}; check REGIME_DATA_DIR") from None
    except ValueError:
        raise WarehouseError(
            f"{path}: not an id: restore it from a backup, or remove it while no run is in progress"
        ) from None


class SharedLock:
    """The advisory lock of one warehouse id in one Postgres. Re-entrant, as the run lock is."""

    def __init__(self, database: str, warehouse: str) -> None:
        url = sa.make_url(database)  # Dagster's own form of address, with a password in any characters
        self._database = {**url.translate_connect_args(username="user", database="dbname"), **url.query}
        self._key = int.from_bytes(hashlib.sha256(warehouse.encode()).digest()[:8], signed=True)

    def acquire(self, wait_seconds: float = 0.0, log: Log | None = None) -> None:
        """Take the lock, waiting up to `wait_seconds`; logs once who holds it.

        Raises LockHeld naming the holder, WarehouseError when Postgres cannot be reached.
        """
        session, taken = _sessions.get(self._at, (None, 0))
        if session is None:
            try:
                session = self._connected()
                try:
                    self._take(session, wait_seconds, log)
                except BaseException:
                    session.close()
                    raise
            except psycopg2.Error as error:
                raise WarehouseError(f"the run lock in Postgres cannot be taken: {_reason(error)}") from None
        _sessions[self._at] = session, taken + 1

    def release(self) -> None:
        """Give the lock back once for every time it was taken; the last time ends the session."""
        session, taken = _sessions.pop(self._at)
        if taken > 1:
            _sessions[self._at] = session, taken - 1
        else:
            with suppress(psycopg2.Error):  # a lost session has freed the lock
                session.close()

    def holder(self) -> str | None:
        """Who holds the lock, asked in a session of its own. Raises WarehouseError when Postgres cannot be reached."""
        try:
            with closing(self._connected()) as session:
                return _holder(session, self._key)
        except psycopg2.Error as error:
            raise WarehouseError(f"the run lock in Postgres cannot be read: {_reason(error)}") from None

    def confirm(self) -> None:
        """Ask Postgres whether this process still has the lock. Raises LockLost."""
        session, _ = _sessions[self._at]
        try:
            is_mine = _value(session, _IS_MINE, self._key)
        except psycopg2.Error as error:
            reason = _reason(error)
        else:
            if is_mine:
                return
            reason = (
                "the lock is not of this session; a connection pooler must pool sessions, not transactions"
            )
        raise LockLost(
            f"the run lock in Postgres was lost ({reason}): "
            "another machine may have begun a run; nothing was published and the previous publication is unchanged; "
            "run again"
        )

    @property
    def _at(self) -> tuple[int, int]:
        return os.getpid(), self._key

    def _connected(self) -> Session:
        name = f"stimulus-regime, pid {os.getpid()} on {socket.gethostname()}"
        session = psycopg2.connect(**{**_NETWORK, **self._database, "application_name": name[:63]})
        session.autocommit = True  # no transaction stays open while the session only holds the lock
        return session

    def _take(self, session: Session, wait_seconds: float, log: Log | None) -> None:
        until = time.monotonic() + wait_seconds
        while not _value(session, "SELECT pg_try_advisory_lock(%s)", self._key):
            left = until - time.monotonic()
            holder = _holder(session, self._key) or "a run that has just ended"
            if left <= 0:
                raise LockHeld(f"another run holds the lock: {holder}")
            if log is not None:
                log(f"waiting up to {left:.0f} s for {holder}")
                log = None
            time.sleep(min(_POLL_SECONDS, left))


def _holder(session: Session, key: int) -> str | None:
    with session.cursor() as cursor:
        cursor.execute(_HOLDER, (key,))
        found = cursor.fetchone()
    return f"{found[0]}, since {found[1]}" if found else None


def _value(session: Session, query: str, key: int) -> int:
    with session.cursor() as cursor:
        cursor.execute(query, (key,))
        found = cursor.fetchone()
    return int(found[0]) if found else 0


def _reason(error: psycopg2.Error) -> str:
    return str(error).partition("\n")[0].strip()[:200] or type(error).__name__
