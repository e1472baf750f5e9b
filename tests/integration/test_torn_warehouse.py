"""A process killed in the middle of a write may tear the warehouse: the next run goes on from the copy kept by then."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.warehouse.connection import WarehouseError, keep_copy, safety_copy
from assets.warehouse.lock import RunLock
from assets.warehouse.schema import open_warehouse
from tests.integration.conftest import Night

FIRST_BLOCK = 12288  # after the three headers
COUNT = "SELECT count(*) FROM raw.vintages"


def tear(file: Path) -> None:
    """The second half of the first block as if it had never been written."""
    with file.open("r+b") as torn:
        torn.seek(FIRST_BLOCK + 131072)
        torn.write(b"\xa5" * 131072)


@pytest.fixture
def lock(night: Night) -> RunLock:
    return RunLock(night.warehouse.parent / "run.lock")


def test_what_a_published_row_rests_on_is_there_again_after_a_torn_write(night: Night, lock: RunLock) -> None:
    with open_warehouse(night.warehouse, lock=lock) as con:
        rows = con.execute(COUNT).fetchall()
        keep_copy(con, night.warehouse)
        con.execute("DELETE FROM raw.vintages WHERE series_id = 'UNRATE'")
    tear(night.warehouse)
    with open_warehouse(night.warehouse, lock=lock) as con:
        assert con.execute(COUNT).fetchall() == rows
    (aside,) = night.warehouse.parent.glob("*.damaged-*")
    assert aside.stat().st_size > FIRST_BLOCK
    assert safety_copy(night.warehouse).is_file()


def test_a_torn_file_is_left_alone_without_a_copy_and_by_who_does_not_hold_the_lock(
    night: Night, lock: RunLock
) -> None:
    with open_warehouse(night.warehouse, lock=lock) as con:
        con.execute("CHECKPOINT")
    tear(night.warehouse)
    before = night.warehouse.read_bytes()
    with pytest.raises(WarehouseError, match="is damaged"), open_warehouse(night.warehouse, lock=lock):
        pass
    safety_copy(night.warehouse).write_bytes(b"any")
    with pytest.raises(WarehouseError, match="is damaged"), open_warehouse(night.warehouse):
        pass
    assert night.warehouse.read_bytes() == before
