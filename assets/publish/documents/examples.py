"""The files in `shipped/`, which a release carries word for word, and the example queries among them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("shipped")
EXAMPLES = "examples.sql"
_OPENING = re.compile(r"^-- \[(?P<name>[a-z0-9_]+)\] (?P<question>.+)$", re.MULTILINE)
_READ = re.compile(r"\bFROM ([a-z]\w+)")
_FIRST = ("where_do_we_stand", "why", "known_on_a_date")


@dataclass(frozen=True)
class Example:
    """One query: its name, the question it answers, notes (may be empty), and its SQL."""

    name: str
    question: str
    notes: str
    sql: str

    @property
    def reads(self) -> str:
        """The table, view or macro it reads first."""
        return _READ.findall(self.sql)[0]


@cache
def shipped(name: str) -> str:
    """The text of a file in `shipped/`. Raises OSError."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def examples() -> list[Example]:
    """Every example query, in the order of the file. Raises OSError."""
    text = shipped(EXAMPLES)
    openings = list(_OPENING.finditer(text))
    ends = [opening.start() for opening in openings[1:]] + [len(text)]
    found = []
    for opening, end in zip(openings, ends, strict=True):
        lines = text[opening.end() : end].strip().splitlines()
        notes = " ".join(line.removeprefix("-- ") for line in lines if line.startswith("-- "))
        sql = "\n".join(line for line in lines if not line.startswith("-- "))
        found.append(Example(opening["name"], opening["question"], notes, sql))
    return found


def first_queries() -> list[str]:
    """SQL of the three to begin with."""
    by_name = {example.name: example.sql for example in examples()}
    return [by_name[name] for name in _FIRST]
