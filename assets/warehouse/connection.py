"""DuckDB files on disk: opening them, their errors in one line, folder permissions, and the safety copy.

Commands that only read the published file import this module, so it loads nothing heavier than DuckDB.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from assets.progress import progress

Log = Callable[[str], None]

# DuckDB would fetch a missing extension from the network by itself.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
READ_BY_ALL = 0o755
_PASSED_THROUGH = 0o111
_POLL_SECONDS = 1.0
_LOCKED = re.compile(r"held in (?P<program>\S+)(?: \(PID (?P<pid>\d+)\))?")
_DAMAGED = ("not a valid DuckDB database", "replaying WAL", "WAL does not match", "checksum", "Corrupt")
_FILE_ERRORS = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException)


class WarehouseError(Exception):
    """The warehouse cannot be used: one line with the file, what is wrong and what to do."""


class OpenElsewhere(WarehouseError):
    """Another program has the file open: one line naming it."""


class LockHeld(Exception):
    """Another run holds the lock: one line naming it."""


def wait_for_others(path: Path, wait_seconds: float, log: Log) -> None:
    """Return when no other program has the file open; logs once who has it. Raises OpenElsewhere and nothing else."""
    if not path.exists():
        return
    try:
        connect_patiently(path, False, time.monotonic() + wait_seconds, log).close()
    except OpenElsewhere:
        raise
    except WarehouseError:
        pass  # reported by whoever opens the file for work


def connect_patiently(path: Path, has_lock: bool, until: float, log: Log | None) -> duckdb.DuckDBPyConnection:
    """A connection for work; waits until the monotonic time `until` while another program has the file open."""
    while True:
        try:
            return _connect(path, has_lock=has_lock)
        except OpenElsewhere as error:
            left = until - time.monotonic()
            if left <= 0:
                raise
            if log is not None:
                log(f"waiting up to {left:.0f} s: {error}")
                log = None
            time.sleep(min(_POLL_SECONDS, left))


def _connect(path: Path, *, has_lock: bool) -> duckdb.DuckDBPyConnection:
    try:
        make_passable(path.parent)
        return duckdb.connect(str(path), read_only=False, config=CONFIG)
    except (OSError, duckdb.Error) as error:
        if not (has_lock and _restore_copy(path, error)):
            raise explained(error, path) from None
    return _connect(path, has_lock=False)


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """Where a database file can be read: in place, or in a copy while another program has it open for writing.

    Programs that show tables open a file for writing by default. Raises OSError.
    """
    try:
        duckdb.connect(str(path), read_only=True, config=CONFIG).close()
    except duckdb.Error:
        with tempfile.TemporaryDirectory(prefix="stimulus-regime-") as folder:
            yield Path(shutil.copyfile(path, Path(folder) / path.name))  # without a foreign WAL
    else:
        yield path


@contextmanager
def opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a database file, or to its copy as in `readable`. Raises OSError, duckdb.Error."""
    with readable(path) as file, duckdb.connect(str(file), read_only=True, config=CONFIG) as con:
        yield con


def query_rows(
    con: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object] | dict[str, object] = ()
) -> list[dict[str, Any]]:
    """Rows of a query, each by column name."""
    con.execute(query, parameters)
    names = column_names(con)
    return [dict(zip(names, row, strict=True)) for row in con.fetchall()]


def column_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Columns of the last result; a name that occurs again is numbered, as in DuckDB's data frames."""
    names: list[str] = []
    for name, *_ in con.description or []:
        unique, number = name, 0
        while unique in names:
            number += 1
            unique = f"{name}_{number}"
        names.append(unique)
    return names


def explained(error: Exception, path: Path) -> WarehouseError:
    """An error of DuckDB or the system about a database file, as one line with the way out."""
    message = " ".join(str(error).split())
    if "Could not set lock" in message or "Conflicting lock" in message:
        found = _LOCKED.search(message)
        program = Path(found["program"]).name if found else "another program"
        pid = f" (pid {found['pid']})" if found and found["pid"] else ""
        return OpenElsewhere(
            f"{path}: opened by {program}{pid}; close it there, and read the published file instead"
        )
    return WarehouseError(f"{path}: {_way_out(message, path)}")


def _way_out(message: str, path: Path) -> str:
    if "different configuration" in message:
        return "already open in this process with other settings; close that connection first"
    if "No space left" in message or "not enough free disk space" in message.lower():
        return "the disk is full; free some space and run again, nothing was lost"
    if "Permission denied" in message or "Read-only file system" in message:
        return "no permission to write it; check its owner, or set REGIME_DATA_DIR to another directory"
    if _is_damage(message):
        return f"the file is damaged ({message[:120]}); restore a backup, or move it and {path.name}.wal away"
    if "version number" in message:
        return f"written by another version of DuckDB ({message[:120]}); use that version"
    return f"cannot be opened ({message[:200]}); check what is there, or set REGIME_DATA_DIR to another directory"


def _is_damage(message: str) -> bool:
    return any(sign in message for sign in _DAMAGED)


def is_about_the_file(error: BaseException) -> bool:
    """Whether an error during a run is about the file or the disk, not about the query."""
    # a commit wraps the disk's error in one about itself
    return isinstance(error, (OSError, *_FILE_ERRORS)) or (
        isinstance(error, duckdb.Error) and "Could not write file" in str(error)
    )


def safety_copy(warehouse: Path) -> Path:
    """Where the copy of a warehouse is."""
    return warehouse.with_name(f"{warehouse.name}.kept")


def keep_copy(con: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    """Replace the safety copy by the warehouse as it is now; `con` is open on it, and in no transaction.

    DuckDB writes a checkpoint into blocks in use: a process killed in the middle of one leaves a file that cannot be
    opened. A run keeps a copy before it writes anything, and another before it publishes, so that the copy has what
    every published row rests on. Raises WarehouseError when there is no room; the previous copy is unchanged then.
    """
    copy = safety_copy(warehouse)
    part = copy.with_name(f"{copy.name}.tmp")
    try:
        con.execute("CHECKPOINT")
    except duckdb.Error as error:
        if is_about_the_file(error):  # the warehouse, not its copy, which is intact
            raise explained(error, warehouse) from None
        raise
    try:
        shutil.copyfile(warehouse, part)
        sync(part)
        os.replace(part, copy)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise explained(error, copy) from None


def _restore_copy(warehouse: Path, error: Exception) -> bool:
    """Move a damaged file aside and put the safety copy in its place; false for another error or without a copy."""
    copy = safety_copy(warehouse)
    if not _is_damage(str(error)) or not copy.is_file():
        return False
    aside = warehouse.with_name(f"{warehouse.name}.damaged-{time_in_name(dt.datetime.now(dt.UTC))}")
    part = warehouse.with_name(f"{warehouse.name}.tmp")
    shutil.copyfile(copy, part)
    sync(part)
    wal = warehouse.with_name(f"{warehouse.name}.wal")
    if wal.exists():
        os.replace(wal, aside.with_name(f"{aside.name}.wal"))
    os.replace(warehouse, aside)
    os.replace(part, warehouse)
    progress.warning(
        f"{warehouse.name} was damaged, as by a run killed while it wrote: restored from the copy kept by that run; "
        f"the damaged file is {aside.name}; what the run had fetched since is fetched again"
    )
    return True


def make_public(folder: Path) -> None:
    """Create a folder of the publication, readable by everybody under any umask; an existing one is unchanged."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(READ_BY_ALL)


def make_passable(folder: Path) -> None:
    """Create a folder everybody may pass through on the way to the publication; the umask decides who may list it."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | _PASSED_THROUGH)


def sync(path: Path) -> None:
    """Write everything of a file or folder to disk. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def utc(moment: dt.datetime) -> dt.datetime:
    """An aware moment as the naive UTC the warehouse stores; ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(dt.UTC).replace(tzinfo=None)


def time_in_name(moment: dt.datetime) -> str:
    """A UTC moment for the name of a file: sorts by time, and two in one second differ."""
    return f"{moment:%Y%m%dT%H%M%S.%fZ}"
