"""The published file in the making: a fresh DuckDB file beside the published one, complete but not yet seen.

Belongs here: what goes into a release and how it is written. Does not belong here: judging it and the swap
(`publication.py`), the books kept of it in the warehouse (`ledger.py`).

The file has the 1.2 storage format, so that the 1.x clients analysts have open it. Its tables lie in key order and
have no index for the key: that would make the file six times as large, and nobody writes into it. That keys are
unique is looked at here, once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from assets.catalog.lineage import source_series
from assets.catalog.models import Catalog, Column, Profile, Table
from assets.catalog.render import (
    comment_statements,
    create_table,
    insert_by_name,
    literal,
    qualified_name,
    quoted,
    repeated,
)
from assets.publish.manifest import ReleaseFacts, manifest_frame
from assets.publish.views import VIEWS, view_statements, view_tables
from assets.warehouse.connection import WarehouseError, explained, is_about_the_file
from assets.warehouse.live import live_rows, overlay_query
from assets.warehouse.rights import Withheld, selected, withheld
from assets.warehouse.tables import registered

STORAGE_VERSION = "v1.2.0"


STAGE = "staged_release"  # name the file is attached under while it is built


_FRAME = "release_frame"


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
    tables = published_tables(catalog)
    return manifest_frame(con, catalog, facts, STAGE, len(tables), _rows(con, tables))


# A month-end that was published keeps its first publication; every other row is published by this release.
_REGIME = """
SELECT r.* REPLACE (coalesce(p.first_published_at, {moment}) AS first_published_at)
FROM ({overlaid}) AS r
LEFT JOIN ops.published_rows AS p
  ON r.is_month_end AND p.as_of_date = r.as_of_date
  AND p.profile = r.profile AND p.method_version = r.method_version
"""


_METHOD_CHANGES = """
SELECT p.method_version AS method_version_before, p.as_of_date, p.regime AS regime_before, r.regime AS regime_now,
  r.method_version AS method_version_now, p.release_id AS release_before
FROM ops.published_rows AS p
JOIN {stage}.main.regime AS r ON r.as_of_date = p.as_of_date AND r.profile = p.profile
WHERE p.method_version <> r.method_version AND p.regime <> r.regime
"""


_NIGHTLY_TONIGHT = """
SELECT {moment} AS published_at, * FROM {stage}.main.regime
WHERE as_of_date = (SELECT max(as_of_date) FROM {stage}.main.regime)
"""


_NIGHTLY_BEFORE = "SELECT * FROM {name} WHERE published_at < {moment} UNION ALL BY NAME "


# Known on the as-of date: a value whose successor became known later still stands then.
_OBSERVATIONS = """
SELECT * REPLACE (
  CASE WHEN realtime_end >= {as_of} THEN DATE '9999-12-31' ELSE realtime_end END AS realtime_end
)
FROM raw.observations
WHERE realtime_start <= {as_of} AND series_id IN ({ids})
"""


_SERIES = """
SELECT declared.*,
  coalesce(held.rows_published, 0) AS rows_published, held.rows_published IS NOT NULL AS is_published,
  held.first_observation, held.last_observation, held.last_realtime_start, held.pit_source,
  CASE declared.frequency
    WHEN 'M' THEN last_day(held.last_observation)
    WHEN 'Q' THEN last_day(CAST(date_trunc('quarter', held.last_observation) + INTERVAL 2 MONTH AS DATE))
    ELSE held.last_observation
  END AS last_period_end,
  fetched.status AS fetch_status, fetched.fetched_at
FROM {declared} AS declared
LEFT JOIN (
  SELECT series_id, count(*) AS rows_published, min(observation_date) AS first_observation,
    max(observation_date) FILTER (WHERE value IS NOT NULL AND realtime_end = DATE '9999-12-31')
      AS last_observation,
    max(realtime_start) AS last_realtime_start,
    string_agg(DISTINCT vintage_source, ', ' ORDER BY vintage_source) AS pit_source
  FROM {stage}.main.observations GROUP BY series_id
) AS held USING (series_id)
LEFT JOIN (
  SELECT series_id, arg_max(status, fetched_at) AS status, max(fetched_at) AS fetched_at
  FROM raw.fetches GROUP BY series_id
) AS fetched USING (series_id)
"""


def source_query(
    con: duckdb.DuckDBPyConnection, table: Table, catalog: Catalog, facts: ReleaseFacts, stage: str
) -> str:
    """Query giving the published rows of a table of the warehouse; `stage` is the database being written."""
    live = live_rows(con, facts.profile, catalog.method.method_version, facts.as_of, facts.release_id)
    moment = f"TIMESTAMP {literal(facts.published_at.isoformat(sep=' '))}"
    match table.name:
        case "regime":
            return _REGIME.format(moment=moment, overlaid=overlay_query(con, table, catalog, live))
        case "regime_nightly":
            before = _NIGHTLY_BEFORE.format(name=qualified_name(table), moment=moment)
            tonight = _NIGHTLY_TONIGHT.format(moment=moment, stage=stage)
            return before + tonight if _exists(con, table) else tonight
        case "observations":
            return _OBSERVATIONS.format(as_of=f"DATE '{facts.as_of}'", ids=_shown(catalog, facts))
        case "method_changes":
            return _METHOD_CHANGES.format(stage=stage)
        case "check_results":
            return f"SELECT * FROM ops.check_results WHERE run_id = {literal(facts.run_id)}"
        case _:
            return overlay_query(con, table, catalog, live)


def _shown(catalog: Catalog, facts: ReleaseFacts) -> str:
    """Ids of the series whose raw figures are published, as a list for SQL: restricted ones only on request."""
    return ", ".join(
        literal(series.series_id)
        for series in catalog.series.values()
        if series.rights != "restricted" or facts.publishes_restricted
    )


def series_query(stage: str, declared: str) -> str:
    """Query giving `series`: the relation `declared`, and what staged file and fetches say of each series."""
    return _SERIES.format(stage=stage, declared=declared)


def _exists(con: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Whether the warehouse has the table; the nightly record starts with the first publication."""
    found = con.execute(
        "SELECT count(*) FROM duckdb_tables() "
        "WHERE database_name = current_database() AND schema_name = ? AND table_name = ?",
        [table.layer, table.name],
    ).fetchall()
    return bool(found[0][0])


def series_frame(catalog: Catalog, profile: Profile) -> pd.DataFrame:
    """One row per series of the catalogue: the declared columns of the published table `series`."""
    kept = (
        "series_id", "title", "publisher", "source_url", "unit", "unit_kind", "frequency",
        "seasonal_adjustment", "release_lag_days", "staleness_limit_days", "is_step", "is_revisable",
        "first_public_on", "required_start", "role", "rights", "citation", "note",
    )  # fmt: skip
    rows = [
        {
            **{name: getattr(series, name) for name in kept},
            "group_name": series.group,
            "source_key": series.source,
            "in_profile": profile in series.profiles,
        }
        for series in catalog.series.values()
    ]
    return pd.DataFrame(rows)


def columns_frame(catalog: Catalog, tables: Sequence[Table]) -> pd.DataFrame:
    """One row per column of `tables`: the published data dictionary."""
    rows = [
        _column_row(catalog, table, position, column)
        for table in tables
        for position, column in enumerate(table.columns, start=1)
    ]
    return pd.DataFrame(rows)


def _column_row(catalog: Catalog, table: Table, position: int, column: Column) -> dict[str, Any]:
    sources = source_series(catalog, column.derived_from)
    return {
        "table_name": table.name,
        "position": position,
        "column_name": column.name,
        "type": column.type,
        "unit": column.unit,
        "definition": column.definition,
        "formula": column.formula,
        "is_key": column.name in table.key,
        "derived_from": _listed(column.derived_from),
        "source_series": _listed(sources),
        "nullable": column.nullable,
        "minimum": column.minimum,
        "maximum": column.maximum,
        "allowed_values": _listed(column.values or ()),
        "rights": _listed(sorted({catalog.series[series_id].rights for series_id in sources})),
        "repeats": repeated(column) or None,
    }


def parameters_frame(catalog: Catalog) -> pd.DataFrame:
    """One row per parameter of the method: section, name, number where it is one, text."""
    parameters = _flat("method", catalog.method.model_dump(mode="json"))
    return pd.DataFrame(parameters, columns=["section", "parameter", "number", "text"])


def versions_frame(catalog: Catalog) -> pd.DataFrame:
    """One row per version of the method."""
    return pd.DataFrame([version.model_dump() for version in catalog.method_versions])


def _flat(section: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str, float | None, str]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(name if section == "method" else f"{section}.{name}", value)
        else:
            number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
            yield section, name, number, value if isinstance(value, str) else json.dumps(value)


def _listed(names: Sequence[str]) -> str | None:
    return ", ".join(names) or None


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
