"""What can go wrong with the warehouse as a file, each in one line that names the way out.

Belongs here: the exceptions and the translation of DuckDB's own. Does not belong here: wrong figures
(`assets/sources/protocol.py`), failed checks.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

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
