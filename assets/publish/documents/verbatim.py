"""Files of `shipped/`, which a release carries word for word.

Belongs here: reading them. Does not belong here: what they say.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import duckdb

from assets.publish.documents.facts import DocumentFacts

_SHIPPED = Path(__file__).with_name("shipped")


@cache
def shipped(name: str) -> str:
    """The text of a shipped file. Raises OSError."""
    return (_SHIPPED / name).read_text(encoding="utf-8")


def verbatim(name: str) -> Callable[[duckdb.DuckDBPyConnection, DocumentFacts], str]:
    """The document that is the shipped file of that name."""
    return partial(_same_text, name)


def _same_text(name: str, con: duckdb.DuckDBPyConnection, facts: DocumentFacts) -> str:
    return shipped(name)
