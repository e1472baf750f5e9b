"""Dagster's SQLite event log with its files kept open, and planned events written in one transaction.

Belongs here: how the event log reaches its files. Does not belong here: what is logged. Chosen in
`dagster_home/dagster.yaml`; why it is worth a class of our own: docs/decisions/0006-event-log-files-kept-open.md.

Dagster opens the file anew for each of the hundreds of events of a night, makes an engine, has SQLite read every
table's columns, asks again and again which tables there are, and waits for the disk. The files and what is in them
stay Dagster's own: take the class out of `dagster.yaml` and the history is read as before. It leans on Dagster's
internals, which tests/integration/test_event_log.py pins.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dagster import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

_KEPT_OPEN = 8  # files; a webserver that shows old runs would else hold all of them
_BUSY_SECONDS = 30
_BATCH = (
    "DAGSTER_EVENT_BATCH_SIZE"  # Dagster makes batches only when told to, since its own storage gains nothing
)


class OpenSqliteEventLog(SqliteEventLogStorage):
    """The event log of one instance; one thread at a time uses it, as in Dagster's own class."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._batch: dict[str, Connection] | None = None
        self._turn = threading.RLock()
        self._there: set[tuple[str, ...]] = set()
        os.environ.setdefault(_BATCH, "1000")
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> Any:
        """Nothing to configure: the files are where Dagster itself would keep them."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> OpenSqliteEventLog:
        """Called by Dagster with what `dagster.yaml` says."""
        return cls(str(Path(os.environ["DAGSTER_HOME"]) / "history" / "runs"), inst_data)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """All or none of them, with one commit per file."""
        with self._turn, ExitStack() as files:
            self._batch = {}
            try:
                for shard in dict.fromkeys([*(entry.run_id for entry in events), INDEX_SHARD_NAME]):
                    self._batch[shard] = files.enter_context(self._engine(shard).begin())
                for entry in events:
                    self.store_event(entry)
            finally:
                self._batch = None

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table. A table or column that is there once is there for good."""
        return self._is_there(
            ("table", table_name), lambda: super(OpenSqliteEventLog, self).has_table(table_name)
        )

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        ask = super()._has_asset_key_col_on_connection
        return self._is_there(("column", column_name), lambda: ask(conn, column_name))

    def has_asset_key_col(self, column_name: str) -> bool:
        """Whether the table of assets has a column."""
        return self._is_there(
            ("column", column_name), lambda: super(OpenSqliteEventLog, self).has_asset_key_col(column_name)
        )

    def _is_there(self, what: tuple[str, ...], ask: Callable[[], bool]) -> bool:
        if what not in self._there and ask():
            self._there.add(what)
        return what in self._there

    def wipe(self) -> None:
        """Forget everything; the files are closed before they are removed."""
        self._there.clear()
        self._close_all()
        super().wipe()

    def dispose(self) -> None:
        """Close the files."""
        self._close_all()
        super().dispose()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._turn:
            if self._batch is not None:
                yield self._batch[shard]
                return
            with self._engine(shard).begin() as connection:
                yield connection

    def _engine(self, shard: str) -> Engine:
        if engine := self._engines.get(shard):
            self._engines.move_to_end(shard)
            return engine
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        event.listen(engine, "connect", _without_waiting_for_the_disk)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        self._engines[shard] = engine
        while len(self._engines) > _KEPT_OPEN:
            _, oldest = self._engines.popitem(last=False)
            oldest.dispose()
        return engine

    def _close_all(self) -> None:
        with self._turn:
            while self._engines:
                self._engines.popitem()[1].dispose()


def _without_waiting_for_the_disk(connection: Any, _record: object) -> None:
    """In WAL mode NORMAL cannot corrupt the file; a power cut may cost the last events of the run it ended."""
    connection.execute("PRAGMA synchronous=NORMAL")
