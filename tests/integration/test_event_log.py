"""The event log with its files kept open says what Dagster's own says, to Dagster's own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from pipelines.event_batch import are_everyday
from pipelines.event_log import OpenSqliteEventLog

EVENTS = dg.DagsterEventType


@dg.asset
def source() -> None:
    """Nothing."""


@dg.asset(deps=[source])
def derived() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 3})


@dg.asset_check(asset=derived)
def holds() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project_root: Path) -> Path:
    (tmp_path / "dagster.yaml").write_text(
        (project_root / "dagster_home" / "dagster.yaml").read_text("utf-8")
    )
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
    return tmp_path


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def storage_of(instance: dg.DagsterInstance) -> OpenSqliteEventLog:
    storage = instance.event_log_storage
    assert isinstance(storage, OpenSqliteEventLog)
    return storage


def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return dg.materialize([source, derived, holds], instance=instance)


def fail_at(event: dg.EventLogEntry, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storing this event raises, whichever way it is stored."""
    row_of = SqliteEventLogStorage._event_to_row

    def failing(self: SqliteEventLogStorage, entry: dg.EventLogEntry) -> dict[str, object]:
        if entry is event:
            raise error
        return row_of(self, entry)

    monkeypatch.setattr(SqliteEventLogStorage, "_event_to_row", failing)


def all_rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every file and table of an event log, without the moment SQLite gave it."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for file in sorted(folder.rglob("*.db")):
        with closing(sqlite3.connect(file)) as con:
            for (table,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                kept = [
                    f'"{name}"'
                    for _, name, *_ in con.execute(f"PRAGMA table_info({table})")
                    if name not in ("create_timestamp", "migration_completed")
                ]
                rows = con.execute(f"SELECT {', '.join(kept)} FROM {table} ORDER BY 1").fetchall()
                found[f"{file.name} {table}"] = rows
    return found


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def in_parts() -> None:
    """Nothing, by partition."""


@dg.asset_check(asset=derived)
def does_not_hold() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)


def test_stored_together_or_one_by_one_the_same_rows_stand(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[list[dg.EventLogEntry]] = []
    one_batch = OpenSqliteEventLog.store_event_batch

    def kept(self: OpenSqliteEventLog, events: list[dg.EventLogEntry]) -> None:
        batches.append(list(events))
        one_batch(self, events)

    with monkeypatch.context() as patch:
        patch.setattr(OpenSqliteEventLog, "store_event_batch", kept)
        for _ in range(2):  # the second finds the assets known
            dg.materialize([source, derived, holds, does_not_hold], instance=instance)
        dg.materialize([in_parts], partition_key="a", instance=instance)
    unplanned = [e for b in batches for e in b if e.dagster_event_type == EVENTS.ASSET_CHECK_EVALUATION]
    batches.append([event._replace(run_id="00000000-another-run") for event in unplanned[:2]])
    own, ours = SqliteEventLogStorage(str(tmp_path / "own")), OpenSqliteEventLog(str(tmp_path / "ours"))
    for batch in batches:
        for event in batch:
            own.store_event(event)
        ours.store_event_batch(batch)
    ours.dispose()
    assert sum(are_everyday(batch) for batch in batches) > len(batches) / 2
    assert not all(are_everyday(batch) for batch in batches)
    expected, found = all_rows(tmp_path / "own"), all_rows(tmp_path / "ours")
    assert found == expected
    assert sum(map(len, found.values())) > 80


def test_dagsters_own_storage_reads_the_same_history(instance: dg.DagsterInstance, home: Path) -> None:
    result = run(instance)
    kept = [
        record.event_log_entry for record in storage_of(instance).get_records_for_run(result.run_id).records
    ]
    own = SqliteEventLogStorage(str(home / "history" / "runs"))
    assert [record.event_log_entry for record in own.get_records_for_run(result.run_id).records] == kept
    assert len(kept) > 15
    key = dg.AssetKey("derived")
    assert instance.get_latest_materialization_event(key) is not None
    assert own.get_asset_records([key])[0].asset_entry.last_run_id == result.run_id
    checks = own.get_asset_check_execution_history(dg.AssetCheckKey(key, "holds"), limit=5)
    assert [record.run_id for record in checks] == [result.run_id]


def test_planned_events_come_in_one_batch(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[set[dg.DagsterEventType | None]] = []
    one_batch = OpenSqliteEventLog.store_event_batch

    def counted(self: OpenSqliteEventLog, events: list[dg.EventLogEntry]) -> None:
        batches.append({event.dagster_event_type for event in events})
        one_batch(self, events)

    monkeypatch.setattr(OpenSqliteEventLog, "store_event_batch", counted)
    run(instance)
    planned = {EVENTS.ASSET_MATERIALIZATION_PLANNED, EVENTS.ASSET_CHECK_EVALUATION_PLANNED}
    assert [batch for batch in batches if batch & planned] == [planned]


def test_batch_that_fails_leaves_nothing(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, result = storage_of(instance), run(instance)
    events = [record.event_log_entry for record in storage.get_records_for_run(result.run_id).records]
    count = len(events)
    fail_at(events[2], OSError("no space left on device"), monkeypatch)
    with pytest.raises(OSError, match="no space"):
        storage.store_event_batch(events[:3])
    assert len(storage.get_records_for_run(result.run_id).records) == count
    storage.store_event_batch(events[:2])
    assert len(storage.get_records_for_run(result.run_id).records) == count + 2


def test_what_waits_is_read_in_its_place_and_written_at_the_end_of_its_step(
    instance: dg.DagsterInstance, home: Path
) -> None:
    storage, result = storage_of(instance), run(instance)
    of_derived = [
        record.event_log_entry
        for record in storage.get_records_for_run(result.run_id).records
        if record.event_log_entry.step_key == "derived"
    ]
    _planned, start, *said, success = of_derived
    assert (start.dagster_event_type, success.dagster_event_type) == (EVENTS.STEP_START, EVENTS.STEP_SUCCESS)
    own, before = SqliteEventLogStorage(str(home / "history" / "runs")), len(of_derived)

    def held_by(log: SqliteEventLogStorage) -> int:
        return sum(
            record.event_log_entry.step_key == "derived"
            for record in log.get_records_for_run(result.run_id).records
        )

    for event in said:
        storage.store_event(event)
    assert held_by(own) == before
    assert held_by(storage) == before + len(said) == held_by(own)
    storage.store_event(said[0])
    storage.store_event(success)
    assert held_by(own) == before + len(said) + 2


def test_an_event_that_cannot_be_stored_takes_none_before_it_along(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, result = storage_of(instance), run(instance)
    of_run = [record.event_log_entry for record in storage.get_records_for_run(result.run_id).records]
    said = [event for event in of_run if event.dagster_event_type == EVENTS.STEP_OUTPUT]
    count = len(of_run)
    fail_at(said[-1], OSError("disk I/O error"), monkeypatch)
    for event in said:
        storage.store_event(event)
    with pytest.raises(OSError, match="disk I/O"):
        storage.get_records_for_run(result.run_id)
    assert len(said) > 1
    assert len(storage.get_records_for_run(result.run_id).records) == count + len(said) - 1


def test_an_event_without_a_step_never_waits(instance: dg.DagsterInstance, home: Path) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization("elsewhere"))
    own = SqliteEventLogStorage(str(home / "history" / "runs"))
    assert own.get_asset_records([dg.AssetKey("elsewhere")])[0].asset_entry.last_materialization is not None


def test_an_asset_is_known_anew_after_this_process_or_another_wrote_of_it(
    instance: dg.DagsterInstance, home: Path
) -> None:
    key = dg.AssetKey("derived")

    def last_run() -> str | None:
        return next((one.asset_entry.last_run_id for one in instance.get_asset_records([key])), None)

    assert last_run() is None
    first = run(instance).run_id
    assert last_run() == first
    assert instance.get_asset_records([key])[0] is instance.get_asset_records([key])[0]  # read once
    with dg.DagsterInstance.from_config(str(home)) as other:
        second = run(other).run_id
    assert last_run() == second
    instance.wipe_assets([key])
    assert all(one.asset_entry.last_materialization is None for one in instance.get_asset_records([key]))


def test_assets_made_in_one_step_are_written_and_asked_for_together(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check looks up its asset's result: one by one, each would be written and read by itself."""
    keys = [dg.AssetKey(f"series_{n}") for n in range(5)]

    @dg.multi_asset(
        specs=[dg.AssetSpec(key) for key in keys],
        check_specs=[dg.AssetCheckSpec("fetched", asset=key) for key in keys],
    )
    def publisher() -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        for key in keys:
            yield dg.MaterializeResult(asset_key=key)
        for key in keys:
            yield dg.AssetCheckResult(passed=True, asset_key=key, check_name="fetched")

    asked: list[int] = []
    ask = SqliteEventLogStorage.get_asset_records

    def counted(self: SqliteEventLogStorage, asset_keys: list[dg.AssetKey]) -> object:
        asked.append(len(asset_keys))
        return ask(self, asset_keys)

    monkeypatch.setattr(SqliteEventLogStorage, "get_asset_records", counted)
    result = dg.materialize([publisher], instance=instance)
    assert asked == [len(keys)]
    for evaluation in result.get_asset_check_evaluations():
        looked_up = evaluation.target_materialization_data
        assert looked_up is not None and looked_up.run_id == result.run_id


def test_few_files_stay_open_and_closed_ones_are_opened_again(instance: dg.DagsterInstance) -> None:
    storage = storage_of(instance)
    runs = [run(instance).run_id for _ in range(2)]
    for number in range(20):
        assert storage.get_records_for_run(f"{number:08d}").records == []
    assert len(storage._engines) == 8
    assert all(len(storage.get_records_for_run(run_id).records) > 15 for run_id in runs)


def test_wiped_history_is_written_again(instance: dg.DagsterInstance) -> None:
    run(instance)
    storage_of(instance).wipe()
    assert instance.get_latest_materialization_event(dg.AssetKey("derived")) is None
    result = run(instance)
    assert len(storage_of(instance).get_records_for_run(result.run_id).records) > 15
