"""The tables of the staged file as Parquet and CSV, for readers without DuckDB.

Belongs here: which table goes where and how it is written. Does not belong here: what a table holds (`release.py`),
documents about them (`assets/publish/documents`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from assets.catalog.models import Catalog, Table
from assets.catalog.render import literal, quoted
from assets.warehouse.release import published_tables

WITHOUT_CSV = ("observations",)  # too long for a spreadsheet; its Parquet file and the DuckDB file have it
_PARQUET = "FORMAT parquet, COMPRESSION zstd"
# An empty cell is a missing value; moments are UTC, written as ISO 8601.
_CSV = "FORMAT csv, HEADER, NULLSTR '', DATEFORMAT '%Y-%m-%d', TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%f'"


@dataclass(frozen=True)
class Export:
    """One written file: its path relative to the release (with forward slashes), its table and number of rows."""

    path: str
    table: Table
    rows: int


def export_tables(con: duckdb.DuckDBPyConnection, folder: Path, catalog: Catalog) -> tuple[Export, ...]:
    """Write every public table into `folder`, in key order; `con` is the staged file. Raises OSError, duckdb.Error."""
    written = []
    for table in published_tables(catalog):
        formats = [("parquet", _PARQUET)]
        if table.name not in WITHOUT_CSV:
            formats.append(("csv", _CSV))
        rows = con.execute(f"SELECT count(*) FROM {quoted(table.name)}").fetchall()[0][0]
        order = ", ".join(map(quoted, table.key))
        for kind, options in formats:
            path = f"{kind}/{table.name}.{kind}"
            (folder / kind).mkdir(exist_ok=True)
            selected = f"SELECT * FROM {quoted(table.name)} ORDER BY {order}"
            con.execute(f"COPY ({selected}) TO {literal(str(folder / path))} ({options})")
            written.append(Export(path, table, rows))
    return tuple(written)
