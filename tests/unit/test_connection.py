"""A warehouse is opened one way, closed whatever happens, and says in one line why it cannot be."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import dagster as dg
import duckdb
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.warehouse.connection import WarehouseError, explained, keep_copy, safety_copy
from assets.warehouse.lock import RunLock
from assets.warehouse.resource import Warehouse
from assets.warehouse.schema import open_warehouse

READ = (
    "import sys, duckdb; print(duckdb.connect(sys.argv[1], read_only=True).execute('SELECT 42').fetchall())"
)


def read_elsewhere(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True)


def test_closed_and_unlocked_when_the_block_raises(tmp_path: Path) -> None:
    path, lock = tmp_path / "w.duckdb", RunLock(tmp_path / "run.lock")
    with pytest.raises(RuntimeError), open_warehouse(path, lock=lock):
        raise RuntimeError
    assert read_elsewhere(path).stdout == "[(42,)]\n"
    assert lock.holder() is None


def test_what_duckdb_reports_becomes_one_line_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(WarehouseError, match=r"^[^\n]*the file is damaged[^\n]*$"), open_warehouse(path):
        pass
    for message, way_out in (
        ('IO Error: Cannot open file "x": Permission denied', "no permission to write it"),
        ('IO Error: Could not write file "x": No space left on device', "the disk is full"),
        ("Connection Error: Can't open a connection to same database file with a different configuration",
         "already open in this process"),
        ("IO Error: Failure while replaying WAL file x.wal: WAL does not match database file", "w.duckdb.wal away"),
        ("IO Error: Trying to read a database file with version number 99", "another version of DuckDB"),
    ):  # fmt: skip
        assert way_out in str(explained(duckdb.IOException(message), path))


class DamagedWarehouse:
    """A connection whose checkpoint finds the open file damaged."""

    def execute(self, _: str) -> None:
        raise duckdb.IOException("IO Error: Corrupt database file: computed checksum 1 does not match 2")


def test_a_failed_checkpoint_names_the_warehouse_and_not_its_intact_copy(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    safety_copy(path).write_bytes(b"intact")
    with pytest.raises(WarehouseError, match="the file is damaged") as caught:
        keep_copy(cast(duckdb.DuckDBPyConnection, DamagedWarehouse()), path)
    assert str(caught.value).startswith(f"{path}: ") and safety_copy(path).name not in str(caught.value)
    assert safety_copy(path).read_bytes() == b"intact"


def test_a_copy_without_room_names_the_copy_and_keeps_the_previous_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, part: Path) -> Any:
        part.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "w.duckdb"
    with open_warehouse(path) as con:
        keep_copy(con, path)
        previous = safety_copy(path).read_bytes()
        monkeypatch.setattr(shutil, "copyfile", full)
        with pytest.raises(WarehouseError, match="the disk is full") as caught:
            keep_copy(con, path)
    assert str(caught.value).startswith(f"{safety_copy(path)}: ")
    assert safety_copy(path).read_bytes() == previous
    assert [p.name for p in tmp_path.glob("*.tmp")] == []


def a_resource(tmp_path: Path) -> Warehouse:
    return Warehouse(
        database=str(tmp_path / "w.duckdb"),
        lock_path=str(tmp_path / "locks" / "run.lock"),
        wait_seconds=0.0,
        profile="sample",
    )


def test_rows_for_later_are_written_when_the_run_ends_even_when_a_step_fails(tmp_path: Path) -> None:
    table = load_catalog().tables["published_rows"]
    moment = pd.Timestamp("2026-06-01")
    values = ("sample", moment, moment, "r", "neither", "0" * 64)
    names = ("profile", "as_of_date", "first_published_at", "release_id", "regime", "row_sha256")

    def row(version: str) -> pd.DataFrame:
        return pd.DataFrame([dict(zip(names, values, strict=True))]).assign(method_version=version)

    count = "SELECT count(*) FROM ops.published_rows"

    @dg.asset
    def written(warehouse: Warehouse) -> None:
        warehouse.append_later(table, row("first"))
        warehouse.append_later(table, row("second"))
        with warehouse.cursor() as con:
            assert con.execute(count).fetchall() == [(0,)]
            warehouse.write_out()
            assert con.execute(count).fetchall() == [(2,)]

    @dg.asset(deps=[written])
    def broken(warehouse: Warehouse) -> None:
        warehouse.append_later(table, row("third"))
        raise RuntimeError

    result = dg.materialize(
        [written, broken], resources={"warehouse": a_resource(tmp_path)}, raise_on_error=False
    )
    assert {event.step_key for event in result.get_step_failure_events()} == {"broken"}
    with open_warehouse(tmp_path / "w.duckdb") as con:
        assert con.execute(count).fetchall() == [(3,)]
