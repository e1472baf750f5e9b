"""The one way a warehouse is opened, by the pipeline, the command line and the tests alike.

Belongs here: opening and closing. Does not belong here: Dagster (`resource.py`), tables (`schema.py`,
`tables.py`). DuckDB refuses two ways of opening one file inside a process, so there is only this one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import duckdb

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog
from assets.warehouse import readable
from assets.warehouse.errors import OpenElsewhere, WarehouseError, explained
from assets.warehouse.folders import make_passable
from assets.warehouse.lock import Log, RunLock
from assets.warehouse.safety import take_copy
from assets.warehouse.schema import create_schema

CONFIG = readable.CONFIG
_POLL_SECONDS = 1.0


@contextmanager
def open_warehouse(
    path: Path,
    *,
    lock: RunLock | None = None,
    wait_seconds: float = 0.0,
    log: Log | None = None,
    catalog: Catalog | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, with its tables, for the length of a block; made when it is not there.

    A damaged file is replaced by the copy that was kept of it, if there is one and the lock is held. After
    `wait_seconds` raises LockHeld naming the holder, or OpenElsewhere naming the program that has the file open; else
    WarehouseError. Each is one line with the way out.
    """
    until = time.monotonic() + wait_seconds
    with lock.held(wait_seconds, log) if lock is not None else nullcontext():
        connection = _connect_patiently(path, lock is not None, until, log)
        try:
            create_schema(connection, catalog or load_catalog())
            yield connection
        finally:
            connection.close()


def wait_for_others(path: Path, wait_seconds: float, log: Log) -> None:
    """Return when no other program has the file open; `log` is told once for whom. Raises OpenElsewhere.

    Any other fault is left to whoever opens the file for work.
    """
    if not path.exists():
        return
    try:
        _connect_patiently(path, False, time.monotonic() + wait_seconds, log).close()
    except OpenElsewhere:
        raise
    except WarehouseError:
        pass


def _connect_patiently(path: Path, is_ours: bool, until: float, log: Log | None) -> duckdb.DuckDBPyConnection:
    told = False
    while True:
        try:
            return _connect(path, is_ours=is_ours)
        except OpenElsewhere as error:
            left = until - time.monotonic()
            if left <= 0:
                raise
            if log is not None and not told:
                log(f"waiting up to {left:.0f} s: {error}")
            told = True
            time.sleep(min(_POLL_SECONDS, left))


def _connect(path: Path, *, is_ours: bool) -> duckdb.DuckDBPyConnection:
    try:
        make_passable(path.parent)
        return duckdb.connect(str(path), read_only=False, config=CONFIG)
    except (OSError, duckdb.Error) as error:
        if not (is_ours and take_copy(path, error)):
            raise explained(error, path) from None
    return _connect(path, is_ours=False)
