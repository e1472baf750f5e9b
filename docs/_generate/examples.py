"""Writes `docs/examples.md` from the queries a release ships, with answers of a published file of the sample.

`python -m docs._generate.examples data/published/regime.duckdb`
"""

from __future__ import annotations

import sys

import duckdb

from assets.catalog.loader import PROJECT_ROOT
from assets.publish.documents.examples import Example, examples
from assets.warehouse.connection import CONFIG

PAGE = PROJECT_ROOT / "docs" / "examples.md"
ANSWERED = 16  # the questions of an analyst's day come first in the file
_ROWS, _COLUMNS = 5, 10
_HEAD = f"""# Examples

Queries for common questions on the published file, the same as in its `examples.sql` and in `start_here`. The first
{ANSWERED} have their answers as of the end of the bundled sample, at most {_ROWS} rows and {_COLUMNS} columns of them.
How to open the file, to join it to figures of your own in DuckDB, pandas and polars, and to write it to Excel, is on
[the analysts' page](analysts.md). `python -m docs._generate.examples data/published/regime.duckdb` writes this page.
"""


def page(con: duckdb.DuckDBPyConnection) -> str:
    """The full page; `con` is open on a published file of the sample."""
    sections = [
        _section(example) + (_answer(con, example) if number < ANSWERED else "")
        for number, example in enumerate(examples())
    ]
    return "\n".join([_HEAD, *sections])


def _section(example: Example) -> str:
    notes = [example.notes, ""] if example.notes else []
    return "\n".join([f"## {example.question}", *notes, f"```sql\n-- {example.name}\n{example.sql}\n```", ""])


def _answer(con: duckdb.DuckDBPyConnection, example: Example) -> str:
    """The first rows as a table."""
    result = con.execute(example.sql)
    names = [column[0] for column in result.description or []][:_COLUMNS]
    rows = [["" if cell is None else _cell(cell) for cell in row[:_COLUMNS]] for row in result.fetchall()]
    shown = [names, ["---"] * len(names), *rows[:_ROWS]]
    count = f"{len(rows)} rows\n\n" if len(rows) > _ROWS else ""
    return f"\n{count}" + "".join(f"| {' | '.join(cells)} |\n" for cells in shown)


def _cell(value: object) -> str:
    return (
        f"{value:.4g}" if isinstance(value, float) and abs(value) < 1000 else str(value).replace("|", "\\|")
    )


if __name__ == "__main__":
    with duckdb.connect(sys.argv[1], read_only=True, config=CONFIG) as file:
        PAGE.write_text(page(file), encoding="utf-8")
