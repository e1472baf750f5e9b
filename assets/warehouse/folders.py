"""Folders made with the rights they need, whatever the umask of the process.

Belongs here: making them. Does not belong here: rights of files (`release_folder.py`), rights of figures (`rights.py`).

Published files are readable by everybody, so their folders must be too. The data directory is passed through on the way
there; the warehouse in it keeps the rights the umask gives it. A folder that is already there keeps its rights.
"""

from __future__ import annotations

import stat
from pathlib import Path

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
