"""The files in `shipped/`, which a release carries word for word."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("shipped")


@cache
def shipped(name: str) -> str:
    """The text of one of them. Raises OSError."""
    return (_FOLDER / name).read_text(encoding="utf-8")
