"""The published file before it has rows: its tables, views and macros with all that is said of them.

Belongs here: making the file, and putting it where it was made before. Does not belong here: its rows (`release.py`),
the SQL of its views (`release_views.py`), the store (`memory.py`).

Every comment is a statement of its own, and seven hundred of them take nearly as long as the rows. The file they
make is small and the same every night: it is kept under the statements themselves, the code and DuckDB's version.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from assets.catalog.models import Catalog, Profile, Table
from assets.catalog.render import comment_statements, create_table, literal, quoted
from assets.warehouse.memory import inputs_sha256, once
from assets.warehouse.release_views import view_statements

STORAGE_VERSION = "v1.2.0"
STAGE = "staged_release"  # name the file is attached under while it is built


def put_shape(
    con: duckdb.DuckDBPyConnection, staged: Path, catalog: Catalog, tables: Sequence[Table], profile: Profile
) -> None:
    """Put the file without rows at `staged`: `tables`, then views and macros."""
    statements = [
        *(statement for table in tables for statement in _table_statements(table)),
        *view_statements(catalog, profile),
    ]
    inputs = inputs_sha256(duckdb.__version__, *statements)
    kept = once(con, "release without rows", inputs, lambda: _made(con, staged, statements))
    staged.write_bytes(zlib.decompress(base64.b64decode(kept)))


@contextmanager
def attached(cursor: duckdb.DuckDBPyConnection, staged: Path) -> Iterator[None]:
    """The file under the name STAGE, in use and in one transaction; in the end it is written out in full.

    It has no WAL: a file that is not finished is thrown away.
    """
    options = f"STORAGE_VERSION {literal(STORAGE_VERSION)}, RECOVERY_MODE no_wal_writes"
    cursor.execute(f"ATTACH {literal(str(staged))} AS {STAGE} ({options})")
    home = cursor.execute("SELECT current_database(), current_schema()").fetchall()[0]
    try:
        cursor.execute("BEGIN TRANSACTION")
        yield
        cursor.execute("COMMIT")
        cursor.execute(f"CHECKPOINT {STAGE}")
    except BaseException:
        with suppress(duckdb.Error):
            cursor.execute("ROLLBACK")
        raise
    finally:
        with suppress(duckdb.Error):
            cursor.execute(f"USE {'.'.join(map(quoted, home))}")
            cursor.execute(f"DETACH {STAGE}")


def _made(con: duckdb.DuckDBPyConnection, staged: Path, statements: Sequence[str]) -> str:
    with con.cursor() as cursor, attached(cursor, staged):
        cursor.execute(f"USE {STAGE}")
        for statement in statements:
            cursor.execute(statement)
    return base64.b64encode(zlib.compress(staged.read_bytes())).decode()


def _table_statements(table: Table) -> list[str]:
    name = quoted(table.name)
    return [create_table(table, name, with_key=False), *comment_statements(table, name)]
