"""A step's events in a handful of SQL statements, with the same rows as Dagster stores one by one.

Belongs here: the statements, and for which events they are right. Does not belong here: when events are stored
together (`event_log.py`).

Dagster makes up to four statements for each of a night's twelve hundred events, and writes the same event out as JSON
for each of them: that was a seventh of a night with nothing new. What a night has by the hundred is written here;
whatever else a batch holds goes Dagster's own way. That both ways leave the same files is tested row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, groupby
from typing import Any, NamedTuple

from dagster import DagsterEvent, DagsterEventType, EventLogEntry
from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects.sqlite import insert

from pipelines.dagster_inside import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    AssetCheckExecutionsTable,
    AssetKeyTable,
    SqlEventLogStorage,
    SqlEventLogStorageTable,
)
from pipelines.dagster_inside import AssetCheckExecutionRecordStatus as Status

_EVERYDAY = {
    None,  # a line of the log
    DagsterEventType.LOGS_CAPTURED,
    DagsterEventType.STEP_START,
    DagsterEventType.STEP_SUCCESS,
    DagsterEventType.STEP_OUTPUT,
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
    DagsterEventType.ASSET_CHECK_EVALUATION,
}


class NotPlanned(Exception):
    """A check was judged that nobody had planned: Dagster stores that in another way."""


class _Mirrored(NamedTuple):
    """An event that stands in the index of all runs too, and how it is numbered there."""

    number: int
    event: EventLogEntry
    row: dict[str, Any]


def are_everyday(events: Sequence[EventLogEntry]) -> bool:
    """Whether `store_together` is right for these: of one run, of the kinds it knows, without partitions."""
    return len({event.run_id for event in events}) == 1 and all(
        event.run_id
        and event.dagster_event_type in _EVERYDAY
        and (event.dagster_event is None or not _is_of_partition(event.dagster_event))
        for event in events
    )


def _is_of_partition(event: DagsterEvent) -> bool:
    said = event.event_specific_data
    return any((event.partition, getattr(said, "partition", None), getattr(said, "partitions_subset", None)))


def store_together(storage: SqlEventLogStorage, events: Sequence[EventLogEntry]) -> None:
    """Store events for which `are_everyday`, inside the storage's open transactions.

    Raises NotPlanned; nothing of the events may be kept then.
    """
    rows = [storage._event_to_row(event) for event in events]
    with storage.run_connection(events[0].run_id) as run:
        run.execute(SqlEventLogStorageTable.insert(), rows)
    of_index = [
        (event, row)
        for event, row in zip(events, rows, strict=True)
        if event.dagster_event_type in ASSET_EVENTS | ASSET_CHECK_EVENTS
    ]
    if not of_index:
        return
    with storage.index_connection() as index:
        index.execute(SqlEventLogStorageTable.insert(), [row for _, row in of_index])
        last = index.execute(select(func.max(SqlEventLogStorageTable.c.id))).scalar_one()
        # nobody else writes inside a transaction: the numbers just given follow each other
        mirrored = [
            _Mirrored(n, *one) for n, one in zip(count(last - len(of_index) + 1), of_index, strict=False)
        ]
        for kind, of_kind in groupby(mirrored, lambda one: one.event.dagster_event_type):
            _FOLLOWS[kind](storage, index, list(of_kind))


def _asset(storage: SqlEventLogStorage, index: Connection, mirrored: list[_Mirrored]) -> None:
    storage._store_asset_event_tags(index, [m.event for m in mirrored], [m.number for m in mirrored])
    has_columns = storage._has_asset_key_index_cols_on_connection(index)
    values = [
        {"asset_key": m.row["asset_key"], **storage._get_asset_entry_values(m.event, m.number, has_columns)}
        for m in mirrored
    ]
    known = insert(AssetKeyTable)
    changes = {name: known.excluded[name] for name in values[0] if name != "asset_key"}
    index.execute(known.on_conflict_do_update([AssetKeyTable.c.asset_key], set_=changes), values)


def _planned(_: SqlEventLogStorage, index: Connection, mirrored: list[_Mirrored]) -> None:
    index.execute(
        AssetCheckExecutionsTable.insert(),
        [
            {
                "asset_key": m.event.get_dagster_event().asset_check_planned_data.asset_key.to_string(),
                "check_name": m.event.get_dagster_event().asset_check_planned_data.check_name,
                "partition": None,
                "run_id": m.event.run_id,
                "execution_status": Status.PLANNED.value,
                "evaluation_event": m.row["event"],
                "evaluation_event_timestamp": m.row["timestamp"],
                "evaluation_event_storage_id": m.number,
            }
            for m in mirrored
        ],
    )


_PLANNED = AssetCheckExecutionsTable.c
_JUDGED = AssetCheckExecutionsTable.update().where(
    _PLANNED.asset_key == bindparam("of_asset"),
    _PLANNED.check_name == bindparam("of_check"),
    _PLANNED.run_id == bindparam("of_run"),
    _PLANNED.partition.is_(None),
)


def _judged(_: SqlEventLogStorage, index: Connection, mirrored: list[_Mirrored]) -> None:
    values = []
    for m in mirrored:
        found = m.event.get_dagster_event().asset_check_evaluation_data
        target = found.target_materialization_data
        values.append(
            {
                "of_asset": found.asset_key.to_string(),
                "of_check": found.check_name,
                "of_run": m.event.run_id,
                "execution_status": (Status.SUCCEEDED if found.passed else Status.FAILED).value,
                "evaluation_event": m.row["event"],
                "evaluation_event_timestamp": m.row["timestamp"],
                "evaluation_event_storage_id": m.number,
                "materialization_event_storage_id": target.storage_id if target else None,
            }
        )
    if index.execute(_JUDGED, values).rowcount != len(values):
        raise NotPlanned


_FOLLOWS = {
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED: _asset,
    DagsterEventType.ASSET_MATERIALIZATION: _asset,
    DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED: _planned,
    DagsterEventType.ASSET_CHECK_EVALUATION: _judged,
}
