"""Opening DuckDB files: errors with their way out, rights of folders, and the copy of a damaged warehouse."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from assets.progress import progress

if TYPE_CHECKING:
    from assets.catalog.models import Catalog
    from assets.warehouse.lock import RunLock

Log = Callable[[str], None]

# DuckDB would fetch a missing extension from the network by itself.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """Where a database file can be read: in place, or in a copy while somebody has it open for writing.

    Programs that show tables open a file for writing unless told otherwise. Raises OSError.
    """
    try:
        duckdb.connect(str(path), read_only=True, config=CONFIG).close()
    except duckdb.Error:
        with tempfile.TemporaryDirectory(prefix="stimulus-regime-") as folder:
            yield Path(shutil.copyfile(path, Path(folder) / path.name))  # without a foreign WAL
    else:
        yield path


_LOCKED = re.compile(r"held in (?P<program>\S+)(?: \(PID (?P<pid>\d+)\))?")


_DAMAGED = ("not a valid DuckDB database", "replaying WAL", "WAL does not match", "checksum", "Corrupt")


class WarehouseError(Exception):
    """The warehouse cannot be used: one line saying which file, what is wrong and what to do."""


class OpenElsewhere(WarehouseError):
    """Another program has the file open: one line naming it."""


class LockHeld(Exception):
    """Another run holds the lock: one line naming it."""


def explained(error: Exception, path: Path) -> WarehouseError:
    """DuckDB's or the system's own error about a database file, as one line with the way out."""
    said = " ".join(str(error).split())
    kind = OpenElsewhere if _is_open_elsewhere(said) else WarehouseError
    return kind(f"{path}: {_way_out(said, path)}")


def _is_open_elsewhere(said: str) -> bool:
    return "Could not set lock" in said or "Conflicting lock" in said


def _way_out(said: str, path: Path) -> str:
    if _is_open_elsewhere(said):
        found = _LOCKED.search(said)
        program = Path(found["program"]).name if found else "another program"
        pid = f" (pid {found['pid']})" if found and found["pid"] else ""
        return f"opened by {program}{pid}; close it there, and read the published file instead"
    if "different configuration" in said:
        return "already open in this process with other settings; close that connection first"
    if "No space left" in said or "not enough free disk space" in said.lower():
        return "the disk is full; free some space and run again, nothing was lost"
    if "Permission denied" in said or "Read-only file system" in said:
        return "no permission to write it; check its owner, or set REGIME_DATA_DIR to another place"
    if is_damage(said):
        return f"the file is damaged ({said[:120]}); restore a backup, or move it and {path.name}.wal away"
    if "version number" in said:
        return f"written by another version of DuckDB ({said[:120]}); use that version"
    return (
        f"cannot be opened ({said[:200]}); look at what stands there, or set REGIME_DATA_DIR to another place"
    )


def is_damage(error: Exception | str) -> bool:
    """Whether an error says that what stands in a database file is no longer whole."""
    return any(sign in str(error) for sign in _DAMAGED)


def is_about_the_file(error: duckdb.Error) -> bool:
    """Whether an error during a run is about the file or disk, not about what was asked."""
    of_its_own = isinstance(error, duckdb.IOException | duckdb.FatalException | duckdb.InternalException)
    return of_its_own or "Could not write file" in str(
        error
    )  # a commit wraps the disk's error in one about itself


def in_a_name(moment: dt.datetime) -> str:
    """`moment` in UTC, fit for a name: sorted as text it is sorted by time, and two of one second differ."""
    return f"{moment:%Y%m%dT%H%M%S.%fZ}"


READ_BY_ALL = 0o755


_PASSED_THROUGH = 0o111


def make_public(folder: Path) -> None:
    """A folder of the publication: everybody reads it. Raises OSError."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(READ_BY_ALL)


def make_passable(folder: Path) -> None:
    """A folder that everybody may pass through; the umask decides who may list it. Raises OSError."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | _PASSED_THROUGH)


def closed_to_readers(published: Path) -> Path | None:
    """The folder that keeps every other user from a published file: its own or the data directory; None if neither."""
    for folder in (published.parent.parent, published.parent):
        if folder.is_dir() and not folder.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH):
            return folder
    return None


def closed_line(folder: Path) -> str:
    """What to say about such a folder."""
    return f"{folder} is closed to other users, who cannot read the published file: `chmod a+x {folder}`"


_POLL_SECONDS = 1.0


@contextmanager
def open_warehouse(
    path: Path,
    *,
    lock: RunLock | None = None,
    wait_seconds: float = 0.0,
    log: Log | None = None,
    catalog: Catalog | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, with its tables, for the length of a block; made when it is not there.

    A damaged file is replaced by the copy that was kept of it, if there is one and the lock is held. After
    `wait_seconds` raises LockHeld naming the holder, or OpenElsewhere naming the program that has the file open; else
    WarehouseError. Each is one line with the way out.
    """
    from assets.catalog.loader import load_catalog  # heavy: commands that only read need neither
    from assets.warehouse.schema import create_schema

    until = time.monotonic() + wait_seconds
    with lock.held(wait_seconds, log) if lock is not None else nullcontext():
        connection = _connect_patiently(path, lock is not None, until, log)
        try:
            create_schema(connection, catalog or load_catalog())
            yield connection
        finally:
            connection.close()


def wait_for_others(path: Path, wait_seconds: float, log: Log) -> None:
    """Return when no other program has the file open; `log` is told once for whom. Raises OpenElsewhere.

    Any other fault is left to whoever opens the file for work.
    """
    if not path.exists():
        return
    try:
        _connect_patiently(path, False, time.monotonic() + wait_seconds, log).close()
    except OpenElsewhere:
        raise
    except WarehouseError:
        pass


def _connect_patiently(path: Path, is_ours: bool, until: float, log: Log | None) -> duckdb.DuckDBPyConnection:
    told = False
    while True:
        try:
            return _connect(path, is_ours=is_ours)
        except OpenElsewhere as error:
            left = until - time.monotonic()
            if left <= 0:
                raise
            if log is not None and not told:
                log(f"waiting up to {left:.0f} s: {error}")
            told = True
            time.sleep(min(_POLL_SECONDS, left))


def _connect(path: Path, *, is_ours: bool) -> duckdb.DuckDBPyConnection:
    try:
        make_passable(path.parent)
        return duckdb.connect(str(path), read_only=False, config=CONFIG)
    except (OSError, duckdb.Error) as error:
        if not (is_ours and take_copy(path, error)):
            raise explained(error, path) from None
    return _connect(path, is_ours=False)


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


def sync(path: Path) -> None:
    """Everything of a file or folder on disk. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def utc(moment: dt.datetime) -> dt.datetime:
    """An aware moment as the naive UTC the warehouse stores; ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} says no time zone")
    return moment.astimezone(dt.UTC).replace(tzinfo=None)
