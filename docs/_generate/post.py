"""The values in `docs/post.md`, written by `python -m docs._generate.post POST_DAY.duckdb NOW.duckdb`.

The first file is a release as of the post's day, the second one of the sample's last day. The page itself declares the
statements and their measures.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from dataclasses import dataclass, replace

import duckdb

from assets.catalog.loader import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "post.md"
POST_DAY = dt.date(2025, 11, 5)
TODAY = "today"
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|([^|]*)\|([^|]*)\|$")
_MEASURE = re.compile(r"^`(\w+)\.(\w+)`(?: where (.+))?$")
_ANNOUNCED = ("phase", "starts_phase")  # conditions on purchases that a release may end before
NOT_ANNOUNCED = "not announced yet"
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Row:
    """One line of the page. `measured_by` is `table.column`, with conditions, or why there is none."""

    number: int
    statement: str
    measured_by: str
    then: str
    now: str

    @property
    def measure(self) -> tuple[str, str, dict[str, str]] | None:
        """Table, column, and the columns and values of conditions; None for what is not measured."""
        found = _MEASURE.match(self.measured_by)
        if found is None:
            return None
        table, column, where = found.groups()
        return table, column, dict(part.split(" = ") for part in where.split(" and ")) if where else {}

    @property
    def line(self) -> str:
        """The row as the page has it."""
        return f"| {self.number} | {self.statement} | {self.measured_by} | {self.then} | {self.now} |"


def rows(text: str) -> list[Row]:
    """Every row of the statement table, in order."""
    found = (_ROW.match(line) for line in text.splitlines())
    return [Row(int(m[1]), m[2], m[3], m[4].strip(), m[5].strip()) for m in found if m]


def filled(row: Row, then: duckdb.DuckDBPyConnection, now: duckdb.DuckDBPyConnection) -> Row:
    """The row with the values of the two files."""
    if row.measure is None:
        return replace(row, then="", now="")
    return replace(row, then=_shown(row, then), now=_shown(row, now))


def run_date(con: duckdb.DuckDBPyConnection) -> dt.date:
    """The last day of a release."""
    (newest,) = con.execute("SELECT max(as_of_date) FROM regime").fetchall()[0]
    return dt.date.fromisoformat(str(newest)[:10])


def _shown(row: Row, con: duckdb.DuckDBPyConnection) -> str:
    """The value in a release as the page shows it: two decimals, yes or no, or why it is absent."""
    table, column, where = row.measure or ("", "", {})
    names = [name for (name,) in con.execute(
        "SELECT column_name FROM columns WHERE table_name = ?", [table]
    ).fetchall()]  # fmt: skip
    if column not in names:
        raise LookupError(f"statement {row.number}: the published file has no {table}.{column}")
    if table == "qe_phases":
        where = {"phase": TODAY, **where}
    elif "as_of_date" in names:
        where = {"as_of_date": str(run_date(con)), **where}
    clause = " AND ".join([f'CAST("{name}" AS VARCHAR) = ?' for name in where])
    if table == "policy_events":  # the ledger in the file is that of today
        clause += f" AND announced_on <= DATE '{run_date(con)}'"
    reason = "absent_reason" if "absent_reason" in names else "NULL"
    query = f'SELECT "{column}", {reason} FROM "{table}" WHERE {clause}'
    found = con.execute(query, list(where.values())).fetchall()
    if not found and any(name in where for name in _ANNOUNCED):
        return NOT_ANNOUNCED
    if len(found) != 1:
        raise LookupError(f"{table}.{column} where {where}: {len(found)} rows")
    value, why = found[0]
    if value is None:
        return _absent(con, table, column, where.get("as_of_date"), why)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _absent(
    con: duckdb.DuckDBPyConnection, table: str, column: str, day: str | None, reason: str | None
) -> str:
    """Why a figure is absent, where its row or provenance says."""
    found = con.execute(
        "SELECT absent_reason FROM provenance WHERE table_name = ? AND column_name = ? AND as_of_date = ?",
        [table, column, day],
    ).fetchall()
    reason = reason or (found[0][0] if found else None)
    return f"absent: {reason.replace('_', ' ')}" if reason else "absent"


def heading(then: dt.date, now: dt.date) -> str:
    """The first line of the table."""
    return f"| # | The post | Measured by | {then.day} {then:%B %Y} | {now.day} {now:%B %Y} |"


def rewritten(text: str, then: duckdb.DuckDBPyConnection, now: duckdb.DuckDBPyConnection) -> str:
    """The page with every value asked for again."""
    lines = []
    for line in text.splitlines():
        found = rows(line)
        if line.startswith("| # |"):
            lines.append(heading(run_date(then), run_date(now)))
        else:
            lines.append(filled(found[0], then, now).line if found else line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with (
        duckdb.connect(sys.argv[1], read_only=True) as post_day,
        duckdb.connect(sys.argv[2], read_only=True) as today,
    ):
        PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), post_day, today), encoding="utf-8")
