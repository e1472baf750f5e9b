"""The values in `docs/post.md`, written by `python -m docs._generate.post data/published/regime.duckdb`.

The page itself declares the statements and their measures.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from dataclasses import dataclass, replace

import duckdb

from assets.catalog.loader import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "post.md"
THEN = dt.date(2025, 11, 30)
POST, TODAY = "post", "today"
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|([^|]*)\|([^|]*)\|$")
_MEASURE = re.compile(r"^`(\w+)\.(\w+)`(?: where (\w+) = ([\w.-]+))?$")
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Row:
    """One line of the page. `measured_by` is `table.column`, with a condition at most, or why there is none."""

    number: int
    statement: str
    measured_by: str
    then: str
    now: str

    @property
    def measure(self) -> tuple[str, str, str | None, str | None] | None:
        """Table, column, and the column and value of a condition; None for what is not measured."""
        found = _MEASURE.match(self.measured_by)
        if found is None:
            return None
        table, column, key, value = found.groups()
        return table, column, key, value

    @property
    def line(self) -> str:
        """The row as the page has it."""
        return f"| {self.number} | {self.statement} | {self.measured_by} | {self.then} | {self.now} |"


def rows(text: str) -> list[Row]:
    """Every row of the statement table, in order."""
    found = (_ROW.match(line) for line in text.splitlines())
    return [Row(int(m[1]), m[2], m[3], m[4].strip(), m[5].strip()) for m in found if m]


def filled(row: Row, con: duckdb.DuckDBPyConnection) -> Row:
    """The row with the file's own values."""
    if row.measure is None:
        return replace(row, then="", now="")
    table, column, key, value = row.measure
    described = con.execute("SELECT * FROM columns WHERE table_name = ?", [table])
    names = {d[0]: n for n, d in enumerate(described.description or [])}
    columns = {line[names["column_name"]]: line for line in described.fetchall()}
    if column not in columns:
        raise LookupError(f"statement {row.number}: the published file has no {table}.{column}")
    dates: list[tuple[str, object]] = [("", None)]
    if table == "qe_phases" and key is None:
        dates = [("phase", POST), ("phase", TODAY)]
    elif "as_of_date" in columns and key not in ("as_of_date", "phase"):
        (newest,) = con.execute(f'SELECT max(as_of_date) FROM "{table}"').fetchall()[0]
        dates = [("as_of_date", THEN), ("as_of_date", newest)]
    shown = [_shown(con, table, column, {name: at, key or "": value}) for name, at in dates]
    return replace(row, then=shown[0], now=shown[1] if len(shown) > 1 else "")


def _shown(con: duckdb.DuckDBPyConnection, table: str, column: str, where: dict[str, object]) -> str:
    """One value as the page shows it: two decimals, yes or no, or why it is absent."""
    conditions = {name: value for name, value in where.items() if name}
    clause = " AND ".join(f'CAST("{name}" AS VARCHAR) = ?' for name in conditions)
    parameters = [str(value) for value in conditions.values()]
    found = con.execute(f'SELECT "{column}" FROM "{table}" WHERE {clause}', parameters).fetchall()
    if len(found) != 1:
        raise LookupError(f"{table}.{column} where {conditions}: {len(found)} rows")
    value = found[0][0]
    if value is None:
        return _absent(con, table, column, conditions)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _absent(con: duckdb.DuckDBPyConnection, table: str, column: str, conditions: dict[str, object]) -> str:
    """Why a figure is absent, where provenance says."""
    day = conditions.get("as_of_date")
    found = con.execute(
        "SELECT absent_reason FROM provenance WHERE table_name = ? AND column_name = ? AND as_of_date = ?",
        [table, column, day],
    ).fetchall()
    return f"absent: {found[0][0].replace('_', ' ')}" if found and found[0][0] else "absent"


def rewritten(text: str, con: duckdb.DuckDBPyConnection) -> str:
    """The page with every value asked for again."""
    lines = []
    for line in text.splitlines():
        found = rows(line)
        lines.append(filled(found[0], con).line if found else line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with duckdb.connect(sys.argv[1], read_only=True) as published:
        PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), published), encoding="utf-8")
