"""The published file in the making: a fresh DuckDB file beside the published one, complete but not yet seen.

Belongs here: what goes into a release and how it is written. Does not belong here: judging it and the swap
(`publication.py`), the books kept of it in the warehouse (`ledger.py`).

The file has the 1.2 storage format, so that the 1.x clients analysts have open it. Its tables lie in key order and
have no index for the key: that would make the file six times as large, and nobody writes into it. That keys are
unique is looked at here, once.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog, Profile, Table
from assets.catalog.render import (
    comment_statements,
    create_table,
    insert_by_name,
    literal,
    qualified_name,
    quoted,
)
from assets.warehouse import environment
from assets.warehouse.dictionary import columns_frame, parameters_frame, series_frame, versions_frame
from assets.warehouse.errors import WarehouseError, explained, is_about_the_file
from assets.warehouse.release_queries import ReleaseFacts, series_query, source_query
from assets.warehouse.release_views import VIEWS, view_statements, view_tables
from assets.warehouse.rights import Withheld, selected, withheld
from assets.warehouse.tables import registered

if TYPE_CHECKING:
    from assets.run_facts import RunFacts

STORAGE_VERSION = "v1.2.0"
STAGE = "staged_release"  # name the file is attached under while it is built
_FRAME = "release_frame"
LABEL_ROLES = ("condition", "stance")  # roles of the series without which a publication is not complete


def release_facts(con: duckdb.DuckDBPyConnection, run: RunFacts, now: dt.datetime) -> ReleaseFacts:
    """Facts of the release a run makes at `now` (UTC)."""
    return ReleaseFacts(
        profile=run.profile,
        as_of=run.run_date,
        run_id=run.run_id,
        published_at=publication_time(con, now),
        code_version=run.code_version,
        lock_sha256=environment.lock_sha256(run.project_root),
        publishes_restricted=run.publishes_restricted,
        captured_until=con.execute("SELECT max(captured_at) FROM raw.vintages").fetchall()[0][0],
        is_complete=why_incomplete(con, run.profile) is None,
    )


def why_incomplete(con: duckdb.DuckDBPyConnection, profile: Profile) -> str | None:
    """One line naming series that a condition or the stance reads and of which nothing is held; None without any."""
    wanted = {s.series_id for s in load_catalog().in_profile(profile) if s.role in LABEL_ROLES}
    held = {name for (name,) in con.execute("SELECT DISTINCT series_id FROM raw.vintages").fetchall()}
    if wanted <= held:
        return None
    return (
        f"not complete, nothing was ever fetched of {', '.join(sorted(wanted - held))}; "
        "month-ends are frozen as live only after a complete publication"
    )


def publication_time(con: duckdb.DuckDBPyConnection, now: dt.datetime) -> dt.datetime:
    """`now` in UTC without an offset; later, when the clock went backwards, than all captures and publications."""
    moment = now.astimezone(dt.UTC).replace(tzinfo=None) if now.tzinfo else now
    row = con.execute(
        "SELECT max(captured_at) FROM raw.vintages "
        "UNION ALL SELECT max(published_at) + INTERVAL 1 MICROSECOND FROM ops.publications"
    ).fetchall()
    return max([moment, *(latest for (latest,) in row if latest is not None)])


def published_tables(catalog: Catalog) -> list[Table]:
    """Tables of the published file, in the order they are written; views not included."""
    written_last = ("columns", "release_manifest")
    tables = [
        table
        for table in catalog.tables.values()
        if (table.layer in ("derived", "regime", "publish") or table.name == "check_results")
        and table.name not in (*VIEWS, *written_last)
    ]
    first = ("regime", "observations")  # others are made from these
    tables.sort(key=lambda table: (table.name not in first, table.name))
    return [*tables, *(catalog.tables[name] for name in written_last)]


def build_release(
    con: duckdb.DuckDBPyConnection, staged: Path, catalog: Catalog, facts: ReleaseFacts
) -> None:
    """Build the staged file from the open warehouse; what stood at its path is replaced.

    Raises WarehouseError, one line, when a table is missing or of another run date, or the disk is full.
    Leaves no file behind when it fails, and no WAL beside the file when it succeeds.
    """
    refuse_other_facts(con, facts)
    remove_staged(staged)
    tables = published_tables(catalog)
    try:
        with con.cursor() as cursor, attached(cursor, staged):
            for table in tables:
                _create(cursor, table)
            for table in tables:
                _write(cursor, table, catalog, facts)
            cursor.execute(f"USE {STAGE}")
            for statement in view_statements(catalog, facts.profile):
                cursor.execute(statement)
    except BaseException as error:
        remove_staged(staged)
        if isinstance(error, OSError) or (isinstance(error, duckdb.Error) and is_about_the_file(error)):
            raise explained(error, staged) from None
        raise


@contextmanager
def attached(cursor: duckdb.DuckDBPyConnection, staged: Path) -> Iterator[None]:
    """The staged file attached under the name STAGE, in one transaction that is checkpointed at the end.

    It has no WAL: a file that is not finished is thrown away. The cursor uses its own database again afterwards.
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


def remove_staged(staged: Path) -> None:
    """Remove a staged file and its WAL, whoever left them."""
    for path in (staged, _wal(staged)):
        path.unlink(missing_ok=True)


def _wal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def refuse_other_facts(con: duckdb.DuckDBPyConnection, facts: ReleaseFacts) -> None:
    """The regime must have been computed for this release's profile and run date."""
    try:
        found = con.execute("SELECT max(as_of_date), any_value(profile) FROM regime.regime").fetchall()[0]
    except duckdb.CatalogException:
        raise WarehouseError("regime.regime has not been built; run the whole job") from None
    if found != (facts.as_of, facts.profile):
        raise WarehouseError(
            f"regime.regime was computed for {found[1]} as of {found[0]}, this release is "
            f"{facts.profile} as of {facts.as_of}; run the whole job"
        )


def _create(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """One table without rows, with its comments."""
    name = qualified_name(table, STAGE, "main")
    for statement in (create_table(table, name, with_key=False), *comment_statements(table, name)):
        con.execute(statement)


def _write(con: duckdb.DuckDBPyConnection, table: Table, catalog: Catalog, facts: ReleaseFacts) -> None:
    """The rows of one table."""
    name = qualified_name(table, STAGE, "main")
    if table.name in ("columns", "method_parameters", "method_versions", "release_manifest"):
        with registered(con, _frame(con, table, catalog, facts), _FRAME):
            con.execute(insert_by_name(table, _FRAME, name))
    elif table.name == "series":
        with registered(con, series_frame(catalog, facts.profile), _FRAME):
            _insert(con, table, name, series_query(STAGE, _FRAME), {})
    else:
        cells = {} if facts.publishes_restricted else withheld(table, catalog, facts.profile)
        _insert(con, table, name, source_query(con, table, catalog, facts, STAGE), cells)


def _rows(con: duckdb.DuckDBPyConnection, tables: list[Table]) -> int:
    """How many rows the staged tables have together. Raises WarehouseError when two of a table have one key.

    Asked of all tables at once: forty questions take four times as long.
    """
    found = con.execute(
        " UNION ALL ".join(
            f"SELECT {n} AS n, coalesce(sum(held), 0), max(held) FROM ({_grouped(table)})"
            for n, table in enumerate(tables)
        )
        + " ORDER BY n"
    ).fetchall()
    for n, _, most in found:
        if most is not None and most > 1:
            *double, _ = con.execute(f"{_grouped(tables[n])} HAVING count(*) > 1 LIMIT 1").fetchall()[0]
            raise WarehouseError(
                f"{tables[n].name}: more than one row for {', '.join(map(str, double))}; run the job again"
            )
    return sum(int(held) for _, held, _ in found)


def _grouped(table: Table) -> str:
    """Query counting the staged rows of every key of a table."""
    key = ", ".join(map(quoted, table.key))
    return f"SELECT {key}, count(*) AS held FROM {qualified_name(table, STAGE, 'main')} GROUP BY {key}"


def _insert(con: duckdb.DuckDBPyConnection, table: Table, name: str, source: str, cells: Withheld) -> None:
    """Rows of the query `source`, by name, in key order; NaN, infinity and the withheld cells become NULL."""
    key = ", ".join(map(quoted, table.key))
    try:
        con.execute(
            f"INSERT INTO {name} BY NAME SELECT {selected(table, cells)} FROM ({source}) AS rows_of ORDER BY {key}"
        )
    except duckdb.CatalogException:
        raise WarehouseError(f"{qualified_name(table)} has not been built; run the whole job") from None


def _frame(
    con: duckdb.DuckDBPyConnection, table: Table, catalog: Catalog, facts: ReleaseFacts
) -> pd.DataFrame:
    if table.name == "columns":
        return columns_frame(catalog, [*published_tables(catalog), *view_tables(catalog)])
    if table.name == "method_parameters":
        return parameters_frame(catalog)
    if table.name == "method_versions":
        return versions_frame(catalog)
    return _manifest(con, catalog, facts)


def _manifest(con: duckdb.DuckDBPyConnection, catalog: Catalog, facts: ReleaseFacts) -> pd.DataFrame:
    """The one row about the file; written last, so that it can count the others."""
    tables = published_tables(catalog)
    row = {
        "release_id": facts.release_id,
        "published_at": facts.published_at,
        "profile": facts.profile,
        "as_of_date": facts.as_of,
        "ledger_last_checked": catalog.policy_events.last_checked,
        "method_version": catalog.method.method_version,
        "method_sha256": catalog.method.method_sha256,
        "code_version": facts.code_version,
        "python_version": environment.python(),
        "platform": environment.machine(),
        "duckdb_version": duckdb.__version__,
        "lock_sha256": facts.lock_sha256,
        "packages": json.dumps(environment.packages()),
        "seeds": json.dumps(_seeds(catalog, facts)),
        "run_id": facts.run_id,
        "restricted_series_count": _restricted_series(con, catalog),
        "table_count": len(tables),
        "row_count": _rows(con, tables) + 1,
        "captured_until": facts.captured_until,
        "is_complete": facts.is_complete,
    }
    return pd.DataFrame([row])


def _restricted_series(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> int:
    """How many series with restricted rights the staged file holds raw figures of."""
    ids = [series.series_id for series in catalog.series.values() if series.rights == "restricted"]
    asked = f"SELECT count(DISTINCT series_id) FROM {STAGE}.main.observations WHERE series_id IN (SELECT unnest(?))"
    return int(con.execute(asked, [ids]).fetchall()[0][0])


def _seeds(catalog: Catalog, facts: ReleaseFacts) -> dict[str, int | str]:
    """What every drawing of chance in a release began with, by what is drawn."""
    method = catalog.method
    return {
        "audit_dates": facts.release_id,
        "bootstrap": method.forward_returns.bootstrap_seed,
        "score_range": method.robustness.weight_draw_seed,
    }
