"""A warehouse is opened one way, closed whatever happens, and says in one line why it cannot be."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.warehouse.connection import WarehouseError, explained, keep_copy, safety_copy
from assets.warehouse.lock import RunLock
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


def test_a_copy_that_cannot_be_made_names_the_file_at_fault_and_keeps_the_previous_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, part: Path) -> Any:
        part.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Damaged:
        """A connection whose checkpoint finds the open file damaged."""

        def execute(self, _: str) -> None:
            raise duckdb.IOException("IO Error: Corrupt database file: computed checksum 1 does not match 2")

    path = tmp_path / "w.duckdb"
    with open_warehouse(path) as con:
        keep_copy(con, path)
        previous = safety_copy(path).read_bytes()
        monkeypatch.setattr(shutil, "copyfile", full)
        faults: list[tuple[Any, Path, str]] = [
            (con, safety_copy(path), "the disk is full"), (Damaged(), path, "the file is damaged"),
        ]  # fmt: skip
        for opened, file, message in faults:
            with pytest.raises(WarehouseError, match=message) as caught:
                keep_copy(opened, path)
            assert str(caught.value).startswith(f"{file}: ")
    assert safety_copy(path).read_bytes() == previous
    assert [p.name for p in tmp_path.glob("*.tmp")] == []


# ---- a process killed in the middle of a write may tear the file

FIRST_BLOCK = 12288  # after the three headers
COUNT = "SELECT count(*) FROM raw.vintages"


def tear(file: Path) -> None:
    """What comes after the headers as if it had never been written."""
    with file.open("r+b") as torn:
        torn.seek(FIRST_BLOCK)
        torn.write(b"\xa5" * (file.stat().st_size - FIRST_BLOCK))


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "w.duckdb"
    with open_warehouse(path) as con:
        con.execute(
            "INSERT INTO raw.vintages SELECT 'UNRATE', DATE '1900-01-01' + range::INT, DATE '1990-01-01' + range::INT, "
            "random(), 'alfred', TIMESTAMP '2026-01-01', 'f' FROM range(20000)"
        )
    return path


def test_what_a_published_row_rests_on_is_there_again_after_a_torn_write(warehouse: Path) -> None:
    lock = RunLock(warehouse.parent / "run.lock")
    with open_warehouse(warehouse, lock=lock) as con:
        keep_copy(con, warehouse)
        con.execute("DELETE FROM raw.vintages WHERE value < 0.5")
    tear(warehouse)
    with open_warehouse(warehouse, lock=lock) as con:
        assert con.execute(COUNT).fetchall() == [(20000,)]
    (aside,) = warehouse.parent.glob("*.damaged-*")
    assert aside.stat().st_size > FIRST_BLOCK and safety_copy(warehouse).is_file()


def test_a_torn_file_is_left_alone_without_a_copy_and_by_who_does_not_hold_the_lock(warehouse: Path) -> None:
    tear(warehouse)
    before = warehouse.read_bytes()
    lock = RunLock(warehouse.parent / "run.lock")
    with pytest.raises(WarehouseError, match="is damaged"), open_warehouse(warehouse, lock=lock):
        pass
    safety_copy(warehouse).write_bytes(b"any")
    with pytest.raises(WarehouseError, match="is damaged"), open_warehouse(warehouse):
        pass
    assert warehouse.read_bytes() == before
