"""Writes `docs/examples.md` from the queries a release ships: `python -m docs._generate.examples`."""

from __future__ import annotations

from assets.catalog.loader import PROJECT_ROOT
from assets.publish.documents.texts import Example, examples

PAGE = PROJECT_ROOT / "docs" / "examples.md"
_HEAD = """# Examples

Queries for common questions on the published file, the same as in its `examples.sql`. How to open the file, and what
to keep in mind, is on [the analysts' page](analysts.md). `own_figures` reads a file of your own.
"""


def page() -> str:
    """The full page."""
    return "\n".join([_HEAD, *(_section(example) for example in examples())])


def _section(example: Example) -> str:
    notes = [example.notes, ""] if example.notes else []
    return "\n".join([f"## {example.question}", *notes, f"```sql\n-- {example.name}\n{example.sql}\n```", ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
