"""The one way a warehouse is opened, by the pipeline, the command line and the tests alike.

Belongs here: opening and closing. Does not belong here: Dagster (`resource.py`), tables (`schema.py`,
`tables.py`). DuckDB refuses two ways of opening one file inside a process, so there is only this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import duckdb

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog
from assets.warehouse.errors import explained
from assets.warehouse.lock import Log, RunLock
from assets.warehouse.safety import take_copy
from assets.warehouse.schema import create_schema

# DuckDB would fetch a missing extension from the network by itself.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


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

    A damaged file is replaced by the copy that was kept of it, if there is one and the lock is held. Raises LockHeld
    naming the holder after `wait_seconds`, WarehouseError in one line with the way out.
    """
    with lock.held(wait_seconds, log) if lock is not None else nullcontext():
        connection = _connect(path, is_ours=lock is not None)
        try:
            create_schema(connection, catalog or load_catalog())
            yield connection
        finally:
            connection.close()


def _connect(path: Path, *, is_ours: bool) -> duckdb.DuckDBPyConnection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(str(path), read_only=False, config=CONFIG)
    except (OSError, duckdb.Error) as error:
        if not (is_ours and take_copy(path, error)):
            raise explained(error, path) from None
    return _connect(path, is_ours=False)
