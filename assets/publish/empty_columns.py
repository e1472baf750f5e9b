"""Columns without a value in any row of a file, because its profile lacks their series: the definitions say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import duckdb

from assets.catalog.models import Catalog, Column, Profile, Table
from assets.catalog.render import column_comment, literal, quoted


def describe_empty_columns(
    con: duckdb.DuckDBPyConnection, tables: Sequence[Table], catalog: Catalog, profile: Profile
) -> None:
    """Name the series the profile lacks, for a column without any value: in its comment and in the table `columns`.

    `con` uses the file, which has these tables and views.
    """
    empty: dict[tuple[str, str], Column] = {}
    for table in tables:
        counts = [f"count({quoted(column.name)})" for column in table.columns]
        query = f"SELECT count(*), {', '.join(counts)} FROM {quoted(table.name)}"
        rows, *values = con.execute(query).fetchall()[0]
        if rows > 1:  # of the newest row alone it would say nothing
            found = zip(table.columns, values, strict=True)
            empty.update({(table.name, column.name): column for column, count in found if not count})
    for (table_name, name), column in empty.items():
        absent = sorted(set(_absent_series(column, empty, catalog, profile)))
        if absent and not _may_be_withheld(column, catalog, profile):
            why = f"NULL in every row here: the profile {profile} has no {', '.join(absent)}."
            definition = f"{column.definition} {why}"
            comment = column_comment(column.model_copy(update={"definition": definition}))
            con.execute(f"COMMENT ON COLUMN {quoted(table_name)}.{quoted(name)} IS {literal(comment)}")
            con.execute(
                "UPDATE columns SET definition = ? WHERE table_name = ? AND column_name = ?",
                [definition, table_name, name],
            )


def _may_be_withheld(column: Column, catalog: Catalog, profile: Profile) -> bool:
    """Whether it repeats a series of the profile: then its figures may be there, and kept out of the file."""
    repeated = [catalog.series[name] for repeat in column.repeats for name in repeat.series]
    return any(profile in series.profiles for series in repeated)


def _absent_series(
    column: Column, empty: Mapping[tuple[str, str], Column], catalog: Catalog, profile: Profile
) -> Iterator[str]:
    """Series outside the profile that it is computed from, itself or through other empty columns."""
    for origin in column.derived_from:
        table, _, name = origin.partition(".")
        if (table, name) in empty:
            yield from _absent_series(empty[table, name], empty, catalog, profile)
        elif not name and profile not in catalog.series[origin].profiles:
            yield origin
