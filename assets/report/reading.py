"""The published file, read: rows by column name, the newest row, parameters, and where a column's figures come from.

Belongs here: asking a read-only connection. Does not belong here: words for the answers, the warehouse.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import duckdb

from assets.report.words import publisher_words

Row = dict[str, Any]
Points = list[tuple[dt.date, float | None]]

# A series that stands behind a figure: published, or used under terms that keep its own figures out of the release.
USED = "(s.is_published OR (s.in_profile AND s.fetch_status IN ('new', 'unchanged', 'stale')))"
_SOURCES = f"""
SELECT s.publisher, s.series_id
FROM (
  SELECT DISTINCT unnest(string_split(source_series, ', ')) AS series_id FROM columns
  WHERE table_name || '.' || column_name IN (SELECT unnest(?))
) AS used
JOIN series AS s USING (series_id)
WHERE {USED}
ORDER BY s.publisher, s.series_id
"""
_NAMED_SOURCES = f"""
SELECT publisher, series_id FROM series AS s
WHERE {USED} AND s.series_id IN (SELECT unnest(?))
ORDER BY publisher, series_id
"""


class Sources(NamedTuple):
    """Whose figures something rests on: publishers alone, and publishers with their series."""

    publishers: str
    series: str
    held: int


class Release:
    """The published, or staged, file behind a read-only connection. Every answer is asked once."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con

    def rows(self, query: str, *parameters: object) -> list[Row]:
        """Answer of a query, each row by column name."""
        self.con.execute(query, list(parameters))
        names = [column[0] for column in self.con.description or []]
        return [dict(zip(names, row, strict=True)) for row in self.con.fetchall()]

    def row(self, query: str, *parameters: object) -> Row:
        """The only row of an answer. Raises LookupError when there is none, or another."""
        found = self.rows(query, *parameters)
        if len(found) != 1:
            raise LookupError(f"{len(found)} rows where one is needed: {query}")
        return found[0]

    @cached_property
    def tables(self) -> frozenset[str]:
        """Tables and views of the file."""
        found = self.rows("SELECT DISTINCT table_name FROM columns")
        return frozenset(row["table_name"] for row in found)

    @cached_property
    def manifest(self) -> Row:
        """The one row about the file."""
        return self.row("SELECT * FROM release_manifest")

    @cached_property
    def today(self) -> Row:
        """The newest row of `regime`."""
        return self.row("SELECT * FROM regime_current")

    @cached_property
    def as_of(self) -> dt.date:
        """Run date of the release."""
        date: dt.date = self.today["as_of_date"]
        return date

    @cached_property
    def parameters(self) -> dict[str, float]:
        """Numeric parameters of the method by `section.parameter`."""
        found = self.rows("SELECT section, parameter, number FROM method_parameters WHERE number IS NOT NULL")
        return {f"{row['section']}.{row['parameter']}": row["number"] for row in found}

    @cached_property
    def phases(self) -> list[Row]:
        """`qe_phases` in time, today last."""
        return self.rows("SELECT * FROM qe_phases ORDER BY kind = 'today', as_of_date")

    @cached_property
    def evidence(self) -> list[Row]:
        """Evidence of the newest row."""
        return self.rows("SELECT * FROM regime_evidence WHERE as_of_date = ?", self.as_of)

    def newest(self, table: str) -> Row:
        """Row of a table with one row per date, for the run date."""
        return self.row(f'SELECT * FROM "{table}" WHERE as_of_date = ?', self.as_of)

    def history(self, table: str, column: str, scale: float = 1.0) -> Points:
        """A column at every month-end and the run date, from its first figure on; gaps stay gaps."""
        found = self.rows(
            f'SELECT as_of_date, "{column}" * ? AS value FROM "{table}" '
            f'WHERE as_of_date >= (SELECT min(as_of_date) FROM "{table}" WHERE "{column}" IS NOT NULL) '
            "ORDER BY as_of_date",
            scale,
        )
        return [(row["as_of_date"], row["value"]) for row in found]

    def sources(self, *columns: str) -> Sources:
        """Publishers with the series a caption must name, of columns given as table.column."""
        return _by_publisher(self.rows(_SOURCES, list(columns)))

    def sources_of(self, series_ids: Sequence[str]) -> Sources:
        """The same for series named outright; those the release does not hold are left out."""
        return _by_publisher(self.rows(_NAMED_SOURCES, list(series_ids)))


def _by_publisher(rows: list[Row]) -> Sources:
    grouped: dict[str, list[str]] = {}
    for row in rows:
        grouped.setdefault(publisher_words(row["publisher"]), []).append(row["series_id"])
    named = [f"{name} ({', '.join(ids)})" for name, ids in sorted(grouped.items())]
    return Sources(", ".join(sorted(grouped)), "; ".join(named), len(rows))
