"""A copy of the warehouse that stands while the file itself is written to.

Belongs here: keeping the copy, and taking it when the file was torn. Does not belong here: backups to another disk
(`pipelines/backup.py`), how a file is opened (`connection.py`).

DuckDB writes a checkpoint into blocks that are in use. A process killed in the middle of one such write, which is
rare and was seen, leaves a file whose checksum does not match and that cannot be opened. So a run keeps a copy before
it writes anything, and another before it publishes: what a published row rests on is then in the copy, with the
moments at which it was captured.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path

import duckdb

from assets.progress import progress
from assets.warehouse.errors import explained, is_about_the_file, is_damage
from assets.warehouse.moments import in_a_name
from assets.warehouse.release_folder import sync


def kept_copy(warehouse: Path) -> Path:
    """Where the copy of a warehouse lies."""
    return warehouse.with_name(f"{warehouse.name}.kept")


def keep_copy(con: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    """Copy the warehouse as it stands, in place of the copy before; `con` is open on it, and in no transaction.

    Raises WarehouseError when there is no room; the copy before stands then.
    """
    part = warehouse.with_name(f"{warehouse.name}.kept.tmp")
    try:
        con.execute("CHECKPOINT")
    except duckdb.Error as error:
        if is_about_the_file(error):
            raise explained(error, warehouse) from None
        raise
    try:
        shutil.copyfile(warehouse, part)
        sync(part)
        os.replace(part, kept_copy(warehouse))
    except OSError as error:
        part.unlink(missing_ok=True)
        raise explained(error, kept_copy(warehouse)) from None


def take_copy(warehouse: Path, error: Exception) -> bool:
    """Put the copy in the place of a file that `error` calls damaged, which is moved aside; whether that was done."""
    copy = kept_copy(warehouse)
    if not is_damage(error) or not copy.is_file():
        return False
    aside = warehouse.with_name(f"{warehouse.name}.damaged-{in_a_name(dt.datetime.now(dt.UTC))}")
    part = warehouse.with_name(f"{warehouse.name}.tmp")
    shutil.copyfile(copy, part)
    sync(part)
    log = warehouse.with_name(f"{warehouse.name}.wal")
    if log.exists():
        os.replace(log, aside.with_name(f"{aside.name}.wal"))
    os.replace(warehouse, aside)
    os.replace(part, warehouse)
    progress.warning(
        f"{warehouse.name} was damaged, as by a run killed while it wrote: the copy kept by that run was taken, "
        f"the damaged file is {aside.name}; what the run had fetched since is asked for again"
    )
    return True
