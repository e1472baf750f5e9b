"""The published file being built: a fresh DuckDB file next to the published one, and its export as Parquet and CSV.

The file has the 1.2 storage format, so that the 1.x clients analysts have open it. Its tables are in key order and have
no index for the key: that would make the file six times as large. The gate checks that keys are unique.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, Column, Profile, Series, Table
from assets.catalog.render import (
    comment_statements,
    create_table,
    literal,
    qualified_name,
    quoted,
    repeated,
)
from assets.compute.calendar import days, first_publication, period_end, stamp_before
from assets.publish.manifest import ReleaseFacts, manifest_frame
from assets.publish.views import (
    POINT_IN_TIME,
    VIEWS,
    describe_empty_columns,
    file_schema,
    template,
    view_statements,
    view_tables,
)
from assets.warehouse.connection import WarehouseError, explained, is_about_the_file
from assets.warehouse.live import as_published, live_rows
from assets.warehouse.rights import selected, withheld
from assets.warehouse.schema import resolved
from assets.warehouse.writing import registered

STORAGE_VERSION = "v1.2.0"
BLOCK_SIZE = (
    65536  # a quarter of the default: most tables are small, and over HTTPS a block is the least that is read
)
STAGE = "staged_release"  # name the file is attached under while it is built
_FRAME = "release_frame"
_WRITTEN_FIRST = ("regime", "observations")  # others are made from these
_WRITTEN_LAST = ("columns", "release_manifest")
_WITHOUT_CSV = ("observations",)  # too long for a spreadsheet
_EXPORTED_VIEWS = ("monthly", "spells")  # for tools that read files only
_PARQUET = "FORMAT parquet, COMPRESSION zstd"
# An empty cell is a missing value; moments are UTC, written as ISO 8601.
_CSV = "FORMAT csv, HEADER, NULLSTR '', DATEFORMAT '%Y-%m-%d', TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%f'"


_MONTHS = {"M": 1, "Q": 3}
# Only the few series behind the evidence are resolved, not the whole archive.
_INPUTS = f"""
WITH behind AS (
  SELECT component, unnest(string_split(series_ids, ',')) AS series_id
  FROM {{stage}}.main.regime_evidence WHERE as_of_date = $as_of
), newest AS (
  SELECT series_id, max(observation_date) AS last_observation
  FROM ({resolved("(FROM raw.vintages SEMI JOIN behind USING (series_id))")})
  WHERE realtime_start <= $as_of AND realtime_end >= $as_of AND value IS NOT NULL GROUP BY series_id
)
SELECT series_id, newest.last_observation, string_agg(DISTINCT component, ', ' ORDER BY component) AS components,
  bool_or(able.component IS NOT NULL) AS could_change_label
FROM behind JOIN newest USING (series_id)
LEFT JOIN (SELECT DISTINCT component FROM {{stage}}.main.distance_to_flip
           WHERE as_of_date = $as_of AND reachability = 'reachable' AND required_move <> 0) AS able USING (component)
GROUP BY series_id, newest.last_observation
"""
# The plan for a figure that has not come yet, as it was on the as-of date.
_PLANNED = """
SELECT series_id, max_by(next_observation, fetched_at), max_by(next_release_on, fetched_at)
FROM raw.fetches WHERE source_day <= $as_of AND next_release_on > $as_of AND profile = $profile GROUP BY series_id
"""


@dataclass(frozen=True)
class Export:
    """One written file: its path relative to the release (with forward slashes), its table and number of rows."""

    path: str
    table: Table
    rows: int


def published_tables(catalog: Catalog) -> list[Table]:
    """Tables of the published file, in the order they are written; views not included."""
    tables = [
        table
        for table in catalog.tables.values()
        if (table.layer in ("derived", "regime", "publish") or table.name == "check_results")
        and table.name not in (*VIEWS, *_WRITTEN_LAST)
    ]
    tables.sort(key=lambda table: (table.name not in _WRITTEN_FIRST, table.name))
    return [*tables, *(catalog.tables[name] for name in _WRITTEN_LAST)]


def build_release(
    con: duckdb.DuckDBPyConnection, staged: Path, catalog: Catalog, facts: ReleaseFacts
) -> None:
    """Build the staged file from the open warehouse, replacing an older one.

    Raises WarehouseError, one line, when a table is missing or of another run date, or the disk is full.
    Leaves no file when it fails, and no WAL when it succeeds.
    """
    refuse_other_facts(con, facts)
    remove_staged(staged)
    tables = published_tables(catalog)
    try:
        with con.cursor() as cursor, attached(cursor, staged):
            cursor.execute(f"CREATE SCHEMA {STAGE}.{POINT_IN_TIME}")
            for table in tables:
                cursor.execute(create_table(table, _stored(table), with_key=False))
                for statement in comment_statements(table, _stored(table)):
                    cursor.execute(statement)
            for table in tables:
                _write(cursor, table, catalog, facts)
            cursor.execute(f"USE {STAGE}")
            for statement in view_statements(catalog, facts.profile):
                cursor.execute(statement)
            describe_empty_columns(cursor, [*tables, *view_tables(catalog)], catalog, facts.profile)
    except BaseException as error:
        remove_staged(staged)
        if isinstance(error, Exception) and is_about_the_file(error):
            raise explained(error, staged) from None
        raise


@contextmanager
def attached(cursor: duckdb.DuckDBPyConnection, staged: Path) -> Iterator[None]:
    """The staged file attached under the name STAGE, in one transaction that is checkpointed at the end.

    It has no WAL: an unfinished file is thrown away. The cursor uses its own database again afterwards.
    """
    options = (
        f"STORAGE_VERSION {literal(STORAGE_VERSION)}, BLOCK_SIZE {BLOCK_SIZE}, RECOVERY_MODE no_wal_writes"
    )
    cursor.execute(f"ATTACH {literal(str(staged))} AS {STAGE} ({options})")
    home = cursor.execute("SELECT current_database(), current_schema()").fetchall()[0]
    try:
        cursor.execute("BEGIN TRANSACTION")
        yield
        cursor.execute("COMMIT")
        cursor.execute(f"CHECKPOINT {STAGE}")
    except BaseException:
        with suppress(duckdb.Error):  # the first error matters; a failed COMMIT has already rolled back
            cursor.execute("ROLLBACK")
        raise
    finally:
        with suppress(duckdb.Error):  # after an error the connection may be closed
            cursor.execute(f"USE {'.'.join(map(quoted, home))}")
            cursor.execute(f"DETACH {STAGE}")


def remove_staged(staged: Path) -> None:
    """Remove a staged file and its WAL."""
    for path in (staged, staged.with_name(staged.name + ".wal")):
        path.unlink(missing_ok=True)


def refuse_other_facts(con: duckdb.DuckDBPyConnection, facts: ReleaseFacts) -> None:
    """Raise WarehouseError unless the regime was computed for this release's profile and run date."""
    try:
        found = con.execute("SELECT max(as_of_date), any_value(profile) FROM regime.regime").fetchall()[0]
    except duckdb.CatalogException:
        raise WarehouseError("regime.regime has not been built; run the complete job") from None
    if found != (facts.as_of, facts.profile):
        raise WarehouseError(
            f"regime.regime was computed for {found[1]} as of {found[0]}, this release is "
            f"{facts.profile} as of {facts.as_of}; run the complete job"
        )


def export_tables(con: duckdb.DuckDBPyConnection, folder: Path, catalog: Catalog) -> tuple[Export, ...]:
    """Write every public table, `monthly` and `spells` into `folder`, in key order; `con` is the staged file.

    Raises OSError, duckdb.Error.
    """
    written = []
    views = [view for view in view_tables(catalog) if view.name in _EXPORTED_VIEWS]
    for table in [*published_tables(catalog), *views]:
        rows = con.execute(f"SELECT count(*) FROM {quoted(table.name)}").fetchall()[0][0]
        query = f"SELECT * FROM {quoted(table.name)} ORDER BY {', '.join(map(quoted, table.key))}"
        for kind, options in (("parquet", _PARQUET), ("csv", _CSV)):
            if kind == "csv" and table.name in _WITHOUT_CSV:
                continue
            path = f"{kind}/{table.name}.{kind}"
            (folder / kind).mkdir(exist_ok=True)
            con.execute(f"COPY ({query}) TO {literal(str(folder / path))} ({options})")
            written.append(Export(path, table, rows))
    return tuple(written)


def _write(con: duckdb.DuckDBPyConnection, table: Table, catalog: Catalog, facts: ReleaseFacts) -> None:
    """The rows of one table, in key order; NaN, infinity and the withheld cells become NULL."""
    cells = {} if facts.publishes_restricted else withheld(table, catalog, facts.profile)
    key = ", ".join(map(quoted, table.key))
    queries = template("tables").make_module({"facts": facts, "declared": catalog.series.values()})
    query = getattr(queries, table.name)() if hasattr(queries, table.name) else "FROM release_frame"
    try:
        frame = _frame(con, table, catalog, facts)
        with registered(con, frame, _FRAME) if frame is not None else nullcontext():
            con.execute(
                f"INSERT INTO {_stored(table)} BY NAME "
                f"SELECT {selected(table, cells)} FROM ({query}) AS rows_of ORDER BY {key}"
            )
    except duckdb.CatalogException:
        raise WarehouseError(f"{qualified_name(table)} has not been built; run the complete job") from None


def _frame(
    con: duckdb.DuckDBPyConnection, table: Table, catalog: Catalog, facts: ReleaseFacts
) -> pd.DataFrame | None:
    """The rows of a table: of the catalogue, of the release, or of the record; None where a query alone gives them."""
    match table.name:
        case "series":
            return _series_frame(catalog, facts.profile)
        case "columns":
            return _columns_frame(catalog, [*published_tables(catalog), *view_tables(catalog)])
        case "method_parameters":
            parameters = _flat("method", catalog.method.model_dump(mode="json"))
            return pd.DataFrame(parameters, columns=["section", "parameter", "number", "text"])
        case "release_calendar":
            return calendar_frame(con, catalog, facts, STAGE)
        case "renamed_columns":
            return _renamed_frame([*published_tables(catalog), *view_tables(catalog)])
        case "method_versions":
            return pd.DataFrame([version.model_dump() for version in catalog.method_versions])
        case "release_manifest":
            tables = published_tables(catalog)
            names = [_stored(table) for table in tables]
            rows = sum(con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in names)
            return manifest_frame(con, catalog, facts, STAGE, len(tables), rows)
        case "observations" | "regime_nightly" | "method_changes" | "check_results":
            return None
        case _:
            version = catalog.method.method_version
            live = live_rows(con, facts.profile, version, facts.as_of, facts.release_id)
            return as_published(con, table, catalog, live)


def _stored(table: Table) -> str:
    """Quoted name of a table in the staged file."""
    return qualified_name(table, STAGE, file_schema(table))


def _series_frame(catalog: Catalog, profile: Profile) -> pd.DataFrame:
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
            "single_source_from": series.sample_single_source_from if series.is_bundled_in(profile) else None,
        }
        for series in (one.in_profile(profile) for one in catalog.series.values())
    ]
    return pd.DataFrame(rows)


def _columns_frame(catalog: Catalog, tables: Sequence[Table]) -> pd.DataFrame:
    """One row per column of `tables`: the published data dictionary."""
    return pd.DataFrame(
        _column_row(catalog, table, position, column)
        for table in tables
        for position, column in enumerate(table.columns, start=1)
    )


def _renamed_frame(tables: Sequence[Table]) -> pd.DataFrame:
    """One row per column that had another name in an earlier version: the published table `renamed_columns`."""
    names = ("table_name", "column_before", "column_name", "renamed_in")
    rows = [
        (table.name, column.renamed_from, column.name, column.renamed_in)
        for table in tables
        for column in table.columns
        if column.renamed_from
    ]
    return pd.DataFrame(rows, columns=names)


def _column_row(catalog: Catalog, table: Table, position: int, column: Column) -> dict[str, Any]:
    sources = catalog.source_series(column.derived_from)
    return {
        "table_name": table.name,
        "group_name": table.group,
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


def _flat(section: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str, float | None, str]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(name if section == "method" else f"{section}.{name}", value)
        else:
            number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
            yield section, name, number, value if isinstance(value, str) else json.dumps(value)


def _listed(names: Sequence[str]) -> str | None:
    return ", ".join(names) or None


def calendar_frame(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, facts: ReleaseFacts, stage: str
) -> pd.DataFrame:
    """One row per series behind the evidence; `stage` is the database of the staged file, its other tables written."""
    parameters = {"as_of": facts.as_of}
    planned = {
        series_id: (about, day)
        for series_id, about, day in con.execute(
            _PLANNED, {**parameters, "profile": facts.profile}
        ).fetchall()
    }
    rows = []
    for series_id, newest, components, could_change in con.execute(
        _INPUTS.format(stage=stage), parameters
    ).fetchall():
        series = catalog.series[series_id].in_profile(facts.profile)
        about, day = planned.get(series_id, (newest, None))
        is_planned = about > newest
        usual, tomorrow = _usual(newest, series), facts.as_of + dt.timedelta(days=1)
        by_lag = "usual_lag" if usual >= tomorrow else "overdue"
        rows.append(
            {
                "series_id": series_id,
                "title": series.title,
                "release_name": series.publisher,
                "frequency": series.frequency,
                "period_end_date": period_end(_next(newest, series), series.frequency)[0].astype(object),
                "release_date": day if is_planned else max(usual, tomorrow),
                "date_basis": "publisher" if is_planned else by_lag,
                "components": components,
                "could_change_label": could_change,
            }
        )
    return pd.DataFrame(rows, columns=list(catalog.tables["release_calendar"].column_names))


def _next(newest: dt.date, series: Series) -> np.ndarray:
    """Stamp of the period after the newest one."""
    if series.frequency in _MONTHS:
        return stamp_before(days(newest), -_MONTHS[series.frequency])
    return days(newest) + (7 if series.frequency == "W" else 1)


def _usual(newest: dt.date, series: Series) -> dt.date:
    """Day of the figure after the newest one by the usual lag."""
    day: dt.date = first_publication(_next(newest, series), series, {})[0].astype(object)
    return day
