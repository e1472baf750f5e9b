"""`show` prints the published verdict, `open` where the published file is, `sql` the result of a query of it."""

from __future__ import annotations

import argparse

import duckdb

from assets.report.published import Release
from assets.warehouse.connection import column_names
from pipelines.commands.printed_rows import print_rows, table_lines
from pipelines.published_verdict import verdict_lines
from pipelines.release_file import open_published, rows
from pipelines.settings import ConfigurationError, load_folders, read_environment

FIRST_QUERIES = (
    "FROM regime_current",
    "SELECT condition, component, value, unit, rank FROM regime_evidence "
    "WHERE as_of_date = (SELECT max(as_of_date) FROM regime) ORDER BY condition, weight DESC",
    "FROM series_as_of('UNRATE', DATE '2025-11-05') ORDER BY observation_date DESC LIMIT 5",
)


_MOST_LINES = 200  # of a query, as text


def show(args: argparse.Namespace) -> int:
    """Print the verdict of the published file; as data, the newest row of `regime`."""
    path = load_folders(read_environment()).published_path
    with open_published(path) as con:
        release = Release(con)
        newest, lines = release.today, verdict_lines(release, path)
    print_rows(args, [newest], lines)
    return 0


def open_(args: argparse.Namespace) -> int:
    """Print the path, alone with --path, else with ready commands and queries."""
    path = load_folders(read_environment()).published_path
    with open_published(path) as con:
        manifest = rows(con, "SELECT profile, as_of_date, published_at FROM release_manifest")[0]
    print(path)
    if args.path:
        return 0
    published = f"{manifest['published_at']:%Y-%m-%d %H:%M} UTC"
    documents = [path.parent / name for name in ("report.html", "README.txt")]
    lines = [
        f"{manifest['profile']} figures, as of {manifest['as_of_date']}, published {published}",
        *(f"next to it: {file}" for file in documents if file.exists()),
        "",
        "DuckDB's own program (1.2 or newer):",
        f"  duckdb -readonly '{path}' -c \"{FIRST_QUERIES[0]}\"",
        "Python:",
        "  import duckdb",
        f"  con = duckdb.connect({str(path)!r}, read_only=True)",
        f'  con.execute("{FIRST_QUERIES[0]}").df()',
        "",
        "Queries to begin with:",
        *(f"  {query};" for query in FIRST_QUERIES),
    ]
    print("\n".join(lines))
    return 0


def sql(args: argparse.Namespace) -> int:
    """Print the rows of a query; the file is open for reading only. Raises ConfigurationError, DuckDB's message."""
    if not args.query.strip(" \t\n;"):
        raise ConfigurationError("the query is empty: try 'FROM start_here'")
    with open_published(load_folders(read_environment()).published_path) as con:
        try:
            found = rows(con, args.query)
        except duckdb.Error as error:
            message = " ".join(str(error).partition("LINE 1:")[0].split())
            raise ConfigurationError(message) from None
        names = column_names(con)
    lines = table_lines(names, found[:_MOST_LINES])
    if len(found) > _MOST_LINES:
        lines.append(f"... {len(found) - _MOST_LINES:,} more rows: --csv or --json prints all of them")
    print_rows(args, found, lines, names)
    return 0
