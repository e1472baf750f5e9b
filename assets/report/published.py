"""The published, or staged, file behind a read-only connection: rows, the newest row, parameters, sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import duckdb

from assets.report.words import COMPONENTS, period, publisher_words
from assets.warehouse.connection import query_rows

Row = dict[str, Any]
Points = list[tuple[dt.date, float | None]]

# A series behind a figure: published, or used under terms that keep its own figures out of the release.
USED = "(s.is_published OR (s.in_profile AND s.fetch_status IN ('new', 'unchanged', 'stale')))"
_SOURCES = f"""
SELECT DISTINCT publisher FROM series AS s WHERE {USED} AND s.series_id IN (SELECT unnest(?))
"""
_SOURCES_OF_COLUMNS = """
SELECT DISTINCT unnest(string_split(source_series, ', ')) AS series_id FROM columns
WHERE table_name || '.' || column_name IN (SELECT unnest(?))
"""
_EVIDENCE = """
SELECT *, 100 * score AS position FROM regime_evidence WHERE as_of_date = ? ORDER BY list_position(?, component)
"""
_SPELLS = """
SELECT any_value("{column}") AS value, min(as_of_date) AS first,
  coalesce(lead(min(as_of_date)) OVER (ORDER BY spell), max(as_of_date)) AS end_date,
  count(*) FILTER (is_month_end) AS month_ends, max(as_of_date) FILTER (is_month_end) AS last_month_end,
  arg_min_null(bubble_score, as_of_date) AS score, arg_min_null(stance_driver, as_of_date) AS stance_driver
FROM (SELECT *, count(*) FILTER (is_new) OVER (ORDER BY as_of_date) AS spell
      FROM (SELECT *, "{column}" IS DISTINCT FROM lag("{column}") OVER (ORDER BY as_of_date) AS is_new
            FROM regime WHERE as_of_date >= (SELECT min(as_of_date) FROM regime WHERE bubble_score IS NOT NULL)))
GROUP BY spell ORDER BY spell
"""


_PAST_EASING = ("qe1", "qe2", "qe3")


class Release:
    """The file as the report reads it. What several parts need is queried once."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con

    def rows(self, query: str, *parameters: object) -> list[Row]:
        """Rows of a query, each by column name."""
        return query_rows(self.con, query, parameters)

    def row(self, query: str, *parameters: object) -> Row:
        """The only row of a query. Raises LookupError when there are none, or several."""
        found = self.rows(query, *parameters)
        if len(found) != 1:
            raise LookupError(f"{len(found)} rows, expected one: {query}")
        return found[0]

    @cached_property
    def manifest(self) -> Row:
        """The row of `release_manifest`."""
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
        """`qe_phases` by date, today last."""
        return self.rows("SELECT * FROM qe_phases ORDER BY kind = 'today', as_of_date")

    @cached_property
    def evidence(self) -> list[Row]:
        """Evidence of the newest row in the order of the page; `position` is the score from 0 to 100."""
        return self.rows(_EVIDENCE, self.as_of, list(COMPONENTS))

    @cached_property
    def series(self) -> list[Row]:
        """`series` of the profile."""
        return self.rows("SELECT * FROM series WHERE in_profile ORDER BY series_id")

    def period(self, value: dt.date | None, series_ids: str) -> str:
        """The period that a figure from these series is of, of the slowest one that can be stamped with this day."""
        frequencies = {row["series_id"]: row["frequency"] for row in self.series}
        found = {frequencies.get(name) for name in series_ids.split(",")}
        is_stamp = value is not None and 1 in (value.day, (value + dt.timedelta(days=1)).day)
        return period(value, next((kind for kind in "QM" if kind in found and is_stamp), "D"))

    def phase(self, name: str) -> Row | None:
        """A row of `qe_phases`; None where the release ends before it."""
        return next((row for row in self.phases if row["phase"] == name), None)

    @property
    def now(self) -> Row:
        """The row of `qe_phases` for the run date."""
        return next(row for row in self.phases if row["kind"] == "today")

    @property
    def past_easing(self) -> list[Row]:
        """The rows of the three programmes after 2008, as far as they had begun."""
        return [row for row in self.phases if row["phase"] in _PAST_EASING]

    def newest(self, table: str) -> Row:
        """Row of the run date, of a table with one row per date."""
        return self.row(f'SELECT * FROM "{table}" WHERE as_of_date = ?', self.as_of)

    def newest_rows(self, table: str, order: str = "ALL") -> list[Row]:
        """Rows of the run date, of a table with several per date."""
        return self.rows(f'SELECT * FROM "{table}" WHERE as_of_date = ? ORDER BY {order}', self.as_of)

    def history(self, table: str, column: str) -> Points:
        """A column at every month-end and the run date, from its first figure on; a missing figure is None."""
        found = self.rows(
            f'SELECT as_of_date, "{column}" AS value FROM "{table}" '
            f'WHERE as_of_date >= (SELECT min(as_of_date) FROM "{table}" WHERE "{column}" IS NOT NULL) '
            "ORDER BY as_of_date"
        )
        return [(row["as_of_date"], row["value"]) for row in found]

    def spells(self, column: str) -> list[Row]:
        """Unbroken runs of a column of `regime` from the first score on; one ends where the next one begins."""
        return self.rows(_SPELLS.format(column=column))

    def publishers(self, *columns: str) -> str:
        """Publishers behind columns given as table.column."""
        return self.publishers_of(row["series_id"] for row in self.rows(_SOURCES_OF_COLUMNS, list(columns)))

    def publishers_of(self, series_ids: Iterable[str]) -> str:
        """Publishers of series; those that the release does not use are left out."""
        rows = self.rows(_SOURCES, list(series_ids))
        return ", ".join(sorted({publisher_words(row["publisher"]) for row in rows}))
