"""Files a release carries word for word: the schema of regime.json, the example queries, the notebook."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def shipped(name: str) -> str:
    """The text of one of these files. Raises OSError."""
    return (_FOLDER / name).read_text(encoding="utf-8")
