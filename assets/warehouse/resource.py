"""The warehouse as a Dagster resource: opened once per run under the run lock, shared by its steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource
from pydantic import Field, PrivateAttr

from assets.catalog.models import Profile
from assets.warehouse.lock import RunLock, mark_run_alive
from assets.warehouse.schema import open_warehouse
from assets.warehouse.shared_lock import shared_lock


class Warehouse(DuckDBResource):
    """The private DuckDB file of one profile, held under the run lock for as long as the run lasts."""

    lock_path: str = Field(description="Path of the run lock; markers of live runs are next to it.")
    wait_seconds: float = Field(description="How long a run waits for the lock, in seconds.")
    profile: Profile = Field(description="Profile of the figures in the file: sample, public or live.")

    _lock: RunLock | None = PrivateAttr(default=None)
    _connection: duckdb.DuckDBPyConnection | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Warehouse]:
        """Take the lock, open the file, close it again. Raises LockHeld or WarehouseError, one line each."""
        path = Path(self.lock_path)
        lock = RunLock(path, shared_lock(context.instance, path.parent) if context.instance else None)
        log = context.log.info if context.log is not None else None
        if context.run is not None:  # before the wait, so that a waiting run is not taken for a dead one
            mark_run_alive(lock.path.parent, context.run.run_id)
        with open_warehouse(self.path, lock=lock, wait_seconds=self.wait_seconds, log=log) as connection:
            self._lock, self._connection = lock, connection
            try:
                yield self
            finally:
                self._lock = self._connection = None

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.database)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A separate connection to the open file: `with warehouse.cursor() as con:`."""
        if self._connection is None:
            raise RuntimeError("the warehouse is open only while a run lasts")
        return self._connection.cursor()

    def confirm_lock(self) -> None:
        """Raise LockLost when another machine may have taken the run lock."""
        if self._lock is not None:
            self._lock.confirm()

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The parent's name for `cursor`."""
        with self.cursor() as connection:
            yield connection
