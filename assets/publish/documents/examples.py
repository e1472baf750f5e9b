"""The example queries as data: each with its name, question, notes and SQL.

Belongs here: reading `shipped/examples.sql`, and the page of them. Does not belong here: a query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assets.publish.documents.verbatim import shipped

NAME = "examples.sql"
_OPENING = re.compile(r"^-- \[(?P<name>[a-z0-9_]+)\] (?P<question>.+)$", re.MULTILINE)
_FIRST = ("where_do_we_stand", "why", "known_on_a_date")
_PAGE = """# Examples

Queries for common questions on the published file, the same as in its `examples.sql`. How to open the file, and what
to keep in mind, is on [the analysts' page](analysts.md). `own_figures` reads a file of your own.
"""


@dataclass(frozen=True)
class Example:
    """One query: its name, the question it answers, what to know (may be empty), and its SQL."""

    name: str
    question: str
    notes: str
    sql: str


def examples() -> list[Example]:
    """Every example, in the order of the file. Raises OSError."""
    text = shipped(NAME)
    openings = list(_OPENING.finditer(text))
    ends = [opening.start() for opening in openings[1:]] + [len(text)]
    return [_example(opening, text[opening.end() : end]) for opening, end in zip(openings, ends, strict=True)]


def first_queries() -> list[str]:
    """SQL of the three to begin with."""
    by_name = {example.name: example.sql for example in examples()}
    return [by_name[name] for name in _FIRST]


def examples_page() -> str:
    """The text of docs/examples.md."""
    return "\n".join([_PAGE, *(_section(example) for example in examples())])


def _example(opening: re.Match[str], body: str) -> Example:
    lines = body.strip().splitlines()
    notes = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    sql = [line for line in lines if not line.startswith("-- ")]
    return Example(opening["name"], opening["question"], " ".join(notes), "\n".join(sql))


def _section(example: Example) -> str:
    notes = [example.notes, ""] if example.notes else []
    return "\n".join([f"## {example.question}", *notes, f"```sql\n-- {example.name}\n{example.sql}\n```", ""])
