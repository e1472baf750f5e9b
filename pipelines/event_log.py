"""Dagster's SQLite event log with its files kept open, events written together, and records read once.

Belongs here: how the event log reaches its files. Does not belong here: what is logged. Chosen in
`dagster_home/dagster.yaml`; why it is worth a class of our own: docs/decisions/0006-event-log-files-kept-open.md.

Dagster opens the file anew for each of the hundreds of events of a night, makes an engine, has SQLite read every
table's columns, asks again and again which tables there are and what is known of the same asset, and waits for the
disk. The files and what is in them stay Dagster's own: take the class out of `dagster.yaml` and the history is read as
before. It leans on Dagster's internals: dagster_inside.py.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from dagster import AssetKey, DagsterEventType, EventLogEntry
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from pipelines.dagster_inside import (
    INDEX_SHARD_NAME,
    AssetRecord,
    AssetStatusCacheValue,
    ConfigurableClassData,
    SqliteEventLogStorage,
)
from pipelines.event_batch import NotPlanned, are_everyday, store_together

_KEPT_OPEN = 8  # files; a webserver that shows old runs would else hold all of them
_BUSY_SECONDS = 30
_BATCH = (
    "DAGSTER_EVENT_BATCH_SIZE"  # Dagster makes batches only when told to, since its own storage gains nothing
)
# What a step says at its end, much of it at once: it waits for the step's next event of another kind, or for a reader.
_TOGETHER = (
    DagsterEventType.STEP_OUTPUT,
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_CHECK_EVALUATION,
)
_MOST_WAITING = 500


class OpenSqliteEventLog(SqliteEventLogStorage):
    """The event log of one instance; one thread at a time uses it, as in Dagster's own class."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._batch: dict[str, Connection] | None = None
        self._files = ExitStack()
        self._turn = threading.RLock()
        self._there: set[tuple[str, ...]] = set()
        self._waiting: list[EventLogEntry] = []
        self._records: dict[AssetKey, AssetRecord | None] = {}
        self._changed: set[AssetKey] = set()  # whose record was known until an event of ours: asked for again
        self._records_are_of: int | None = None  # SQLite's number of the index as others have written it
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

    def store_event(self, event: EventLogEntry) -> None:
        """One event, after those that wait; what a step says at its end waits itself."""
        with self._turn:
            self._waiting.append(event)
            self._forget_record(event)
            is_last = event.step_key is None or event.dagster_event_type not in _TOGETHER
            if is_last or len(self._waiting) >= _MOST_WAITING:
                self._store_waiting()

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """All or none of them, with one commit per file."""
        with self._turn:
            self._store_waiting()
            for entry in events:
                self._forget_record(entry)
            if are_everyday(events):
                with suppress(NotPlanned), self._one_commit():
                    store_together(self, events)
                    return
            with self._one_commit():
                for entry in events:
                    super().store_event(entry)

    @contextmanager
    def _one_commit(self) -> Iterator[None]:
        with ExitStack() as self._files:  # each is begun when it is written to first
            self._batch = {}
            try:
                yield
            finally:
                self._batch = None

    def _store_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            self.store_event_batch(waiting)
        except Exception:  # whatever one of them met shall not take those before it along
            for event in waiting:
                super().store_event(event)

    def get_asset_records(self, asset_keys: Sequence[AssetKey] | None = None) -> Sequence[AssetRecord]:
        """What is known of assets: read once, and again when an event of the asset or anybody else has changed it."""
        if asset_keys is None:
            return super().get_asset_records(None)
        with self._turn:
            self._forget_what_others_changed()
            if not self._records.keys() >= set(asset_keys):
                unknown = list({*asset_keys, *self._changed} - self._records.keys())
                read = {record.asset_entry.asset_key: record for record in super().get_asset_records(unknown)}
                self._records.update({key: read.get(key) for key in unknown})
                self._changed.clear()
            return [record for key in asset_keys if (record := self._records[key]) is not None]

    def _forget_record(self, event: EventLogEntry) -> None:
        if event.dagster_event is not None and event.dagster_event.asset_key is not None:
            self._records.pop(event.dagster_event.asset_key, None)
            self._changed.add(event.dagster_event.asset_key)

    def _forget_what_others_changed(self) -> None:
        """SQLite's `data_version` moves when another connection has written, be it of this process."""
        with self._engine(INDEX_SHARD_NAME).connect() as connection:  # nothing that waits is written for it
            now = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
        if now != self._records_are_of:
            self._records.clear()
            self._records_are_of = now

    def wipe_asset(self, asset_key: AssetKey) -> None:
        """Forget an asset."""
        self._records.clear()
        super().wipe_asset(asset_key)

    def wipe_asset_cached_status(self, asset_key: AssetKey) -> None:
        """Forget what Dagster has counted of an asset's partitions."""
        self._records.clear()
        super().wipe_asset_cached_status(asset_key)

    def update_asset_cached_status_data(
        self, asset_key: AssetKey, cache_values: AssetStatusCacheValue
    ) -> None:
        """Keep it."""
        self._records.clear()
        super().update_asset_cached_status_data(asset_key, cache_values)

    def has_secondary_index(self, name: str) -> bool:
        """Whether Dagster has brought an index of its own up to date: so for good, once it is."""
        ask = super().has_secondary_index
        return self._is_there(("secondary index", name), lambda: ask(name))

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
        self._waiting.clear()
        self._records.clear()
        self._changed.clear()
        self._there.clear()
        self._close_all()
        super().wipe()

    def dispose(self) -> None:
        """Write what waits and close the files."""
        with self._turn:
            self._store_waiting()
            self._close_all()
        super().dispose()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._turn:
            if self._batch is not None:
                if shard not in self._batch:
                    self._batch[shard] = self._files.enter_context(self._engine(shard).begin())
                yield self._batch[shard]
                return
            self._store_waiting()
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
