"""What was told to whom, in a file of the data directory, so that a restart tells nothing twice.

Belongs here: the file and its lock. Does not belong here: what is due (`situation.py`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.2
Memory = dict[str, dict[str, Any]]


class Busy(Exception):
    """Another process is telling the same people; it sees what we see."""


@contextmanager
def remembered(data_dir: Path) -> Iterator[Memory]:
    """The memory by target, ours alone while the block lasts, and written at its end, whatever happens in it.

    Raises Busy when another process holds it for half a minute, OSError when the directory cannot be written.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(data_dir / "alerts.lock", thread_local=False, fallback_to_soft=False)
    try:
        held = lock.acquire(timeout=_PATIENCE_SECONDS, poll_interval=_POLL_SECONDS)
    except Timeout:
        raise Busy from None
    with held:
        path = data_dir / "alerts.json"
        memory = _read(path)
        try:
            yield memory
        finally:
            _write(path, memory)


def _read(path: Path) -> Memory:
    """A file that is missing or damaged is a memory without entries: at worst something is told once more."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, memory: Memory) -> None:
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(json.dumps(memory, indent=1, sort_keys=True), encoding="utf-8")
    os.replace(beside, path)
