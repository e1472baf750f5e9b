"""Reading a published file that another program has open.

Belongs here: reading it in place or in a copy. Does not belong here: opening the warehouse (`connection.py`). Only
DuckDB is imported: `show` starts in a fraction of a second.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

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
