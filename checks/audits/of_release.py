"""The audits of a staged file: schema, method, immutability, rights, and recomputation from the archive."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pandas as pd

from assets.catalog.models import Catalog
from assets.catalog.render import quoted
from assets.compute.grid import LIVE
from assets.compute.live_rows import Frames, overlaid, record_of
from assets.compute.registry import REGISTRY, Computation
from assets.run_facts import RunFacts
from assets.warehouse.live import (
    PROVENANCE,
    LiveRow,
    late_figures,
    live_rows,
    panel_at,
    read_live,
    read_record,
)
from assets.warehouse.published_file import release_before, released
from assets.warehouse.readers import (
    brought_files,
    frame_of,
    load_archive,
    load_captures,
    read_table,
    run_grid,
)
from assets.warehouse.rights import Withheld, disclosed, passed_on, whole, withheld
from checks.audits.immutability import Published, Staged, found_again, immutability_suite
from checks.audits.recompute import cut_dates, live_of, recompute_suite, recomputed
from checks.rules import Rule, Suite, flag
from checks.runner import SuiteResult, run_suites
from checks.tables import checked_tables

_NOT_BUILT = "Do not publish. The staged file was not made by build_release: run the complete job."
_COLUMNS = """
SELECT c.schema_name, c.table_name, c.column_name, c.data_type
FROM duckdb_columns() AS c JOIN duckdb_tables() AS t ON t.table_oid = c.table_oid AND t.database_oid = c.database_oid
WHERE NOT c.internal ORDER BY c.table_name, c.column_index
"""


@dataclass(frozen=True)
class StagedTables:
    """Computed tables of a staged file, by name.

    `as_staged`: as the file has them. `withheld`: cells that must be empty there. `complete`: with the warehouse's
    figures in those cells. `panel`: complete, with computed rows in place of the live ones, since a rule that compares
    a row with its neighbour or its provenance needs both from one computation; live rows were checked when they were
    frozen, and are compared with what was published (`audits/immutability.py`).
    """

    as_staged: Frames
    withheld: Mapping[str, Withheld]
    complete: Frames
    panel: Frames


def read_staged(
    staged: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection, facts: RunFacts, catalog: Catalog
) -> StagedTables:
    """Read the staged file, and from the warehouse `con` it was built from what it withholds."""
    tables = [catalog.tables[name] for name in checked_tables(catalog)]
    as_staged, cells = {}, {}
    for table in tables:
        as_staged[table.name] = frame_of(staged, f"SELECT * FROM {quoted(table.name)}")
        found = {} if facts.publishes_restricted else withheld(table, catalog, facts.profile)
        if found:
            cells[table.name] = found
    complete = dict(as_staged)
    for name, found in cells.items():
        stored = read_record(con, name, catalog, facts.profile, facts.run_date)
        complete[name] = whole(as_staged[name], stored, catalog.tables[name].key, found)
    panel, regime = dict(complete), complete["regime"]
    live = regime.loc[regime["row_kind"] == LIVE, "as_of_date"]
    if len(live):
        for table in tables:
            if table.is_as_of:
                computed = read_table(con, f"{table.layer}.{table.name}")
                panel[table.name] = overlaid(
                    complete[table.name], computed[computed["as_of_date"].isin(live)], live
                )
        panel[PROVENANCE] = read_table(con, f"{catalog.tables[PROVENANCE].layer}.{PROVENANCE}")
    return StagedTables(as_staged, cells, complete, panel)


def audit_release(
    staged: duckdb.DuckDBPyConnection,
    con: duckdb.DuckDBPyConnection,
    tables: StagedTables,
    facts: RunFacts,
    catalog: Catalog,
) -> list[SuiteResult]:
    """Every audit; `tables` are those of the staged file, `con` the warehouse it was built from."""
    release_id = staged.execute("SELECT release_id FROM release_manifest").fetchall()[0][0]
    live = live_rows(con, facts.profile, catalog.method.method_version, facts.run_date)
    checked = [
        (schema_found(staged, catalog), schema_suite()),
        (method_in_force(catalog), method_suite()),
        (_found_again(con, tables, facts, catalog, release_id, live), immutability_suite()),
        (figures_disclosed(tables.as_staged, tables.withheld), rights_suite()),
        (_computed_again(con, tables, facts, catalog, release_id, live), recompute_suite(catalog)),
    ]
    return run_suites([(frame, suite, {}) for frame, suite in checked])


def schema_suite() -> Suite:
    """Rules on the frame `schema_found` gives. The published file has no keys of its own that would refuse a row."""
    rules = (
        Rule("column__as_declared", ("differs", "table_name", "column_name"), maximum=0,
            statement="tables, columns, their order and types are those of the catalogue", what_to_do=_NOT_BUILT),
        Rule("column__not_null", ("nulls", "table_name", "column_name"), maximum=0,
            statement="a column that is never missing has a value in every row",
            what_to_do="Do not publish. Look at what the table was computed from on these rows."),
        Rule("key__unique", ("keys_repeated", "table_name"), maximum=0,
            statement="the key of a table names one row",
            what_to_do="Do not publish. Rows were written twice: find the write, and run the complete job."),
    )  # fmt: skip
    return Suite("schema", ("table_name", "column_name"), rules)


def schema_found(staged: duckdb.DuckDBPyConnection, catalog: Catalog) -> pd.DataFrame:
    """One row per column of the file's tables: whether it differs, its NULLs; once a table, the rows with a double key.

    A table with other columns than declared, or a computed one that is missing, has one row.
    """
    stored: dict[str, dict[str, str]] = {name: {} for name in checked_tables(catalog)}
    schemas = {}
    for schema, name, column, kind in staged.execute(_COLUMNS).fetchall():
        stored.setdefault(name, {})[column] = kind
        schemas[name] = schema
    rows: list[tuple[str, str, float, float | None, float | None]] = []
    for name, columns in stored.items():
        table = catalog.tables.get(name)
        if table is None or list(columns) != list(table.column_names):
            rows.append((name, "(all)", 1.0, None, None))
            continue
        counts = [f"count(*) - count({quoted(c.name)})" for c in table.columns if not c.nullable]
        key = ", ".join(map(quoted, table.key))
        relation = f"{quoted(schemas[name])}.{quoted(name)}"
        query = f"SELECT count(*) - count(DISTINCT ({key})), {', '.join(counts)} FROM {relation}"
        repeated, *nulls = staged.execute(query).fetchall()[0]
        required = iter(nulls)
        for column in table.columns:
            differs = float(columns[column.name] != column.type)
            missing = None if column.nullable else next(required)
            rows.append(
                (name, column.name, differs, missing, repeated if column == table.columns[0] else None)
            )
    names = ["table_name", "column_name", "differs", "nulls", "keys_repeated"]
    return pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[2:], "float64"))


def method_suite() -> Suite:
    """Rule on the frame `method_in_force` gives."""
    columns = ("method_version", "method_sha256", "pinned_version", "pinned_sha256")
    rule = Rule("method_sha256__pinned", columns,
        lambda f, _: flag(
            (f["method_version"] != f["pinned_version"]) | (f["method_sha256"] != f["pinned_sha256"])),
        maximum=0, statement="version and hash of the parameters are those of the newest entry of method_versions.toml",
        what_to_do="A parameter was changed. Undo it, or raise method_version in method.toml and add an entry with the "
        "hash, the day and a note to assets/catalog/method_versions.toml.",
    )  # fmt: skip
    return Suite("method", ("method_version",), (rule,))


def method_in_force(catalog: Catalog) -> pd.DataFrame:
    """One row: version and hash of the parameters in use, and the pinned ones."""
    pinned, method = catalog.method_versions[-1], catalog.method
    versions = {"method_version": method.method_version, "method_sha256": method.method_sha256}
    pins = {"pinned_version": pinned.method_version, "pinned_sha256": pinned.method_sha256}
    return pd.DataFrame([versions | pins])


def rights_suite() -> Suite:
    """Rule on the frame `figures_disclosed` gives."""
    rule = Rule("restricted_figure__withheld", ("figures", "table_name", "column_name"), maximum=0,
        statement="a cell that repeats a series with restricted rights is empty",
        what_to_do=f"{_NOT_BUILT} If you may publish these figures, set REGIME_PUBLISH_RESTRICTED=1.",
    )  # fmt: skip
    return Suite("rights", ("table_name", "column_name"), (rule,))


def figures_disclosed(staged: Frames, cells: Mapping[str, Withheld]) -> pd.DataFrame:
    """One row per table and column with withheld cells: how many of these hold a figure. Empty where nothing is."""
    rows = [
        (table, column, count)
        for table, of_table in cells.items()
        for column, count in disclosed(staged[table], of_table).items()
    ]
    return pd.DataFrame(rows, columns=["table_name", "column_name", "figures"])


def _computed_again(
    con: duckdb.DuckDBPyConnection,
    tables: StagedTables,
    facts: RunFacts,
    catalog: Catalog,
    release_id: str,
    live: list[LiveRow],
) -> pd.DataFrame:
    """What the recomputation audit compares."""
    columns = (f"{name}.{column}" for name in REGISTRY for column in catalog.tables[name].column_names)
    run = Computation(
        load_archive(con, catalog.source_series(columns)),
        run_grid(facts.run_date, catalog),
        catalog,
        facts.profile,
        live_of(tables.complete, catalog),
        stored={"late_figures": late_figures(con, facts.profile, catalog, live)},
        brought=brought_files(catalog, facts),
    )
    return recomputed(tables.complete, run, cut_dates(run.grid, release_id))


def _found_again(
    con: duckdb.DuckDBPyConnection,
    tables: StagedTables,
    facts: RunFacts,
    catalog: Catalog,
    release_id: str,
    live: list[LiveRow],
) -> pd.DataFrame:
    """What the immutability audit compares: figures as a finding may name them, whatever the operator has published."""
    stored = read_live(con, catalog, live)
    before = release_before(con, facts, catalog)
    corrections = tables.as_staged["row_corrections"]

    def without_withheld(frames: Frames) -> Frames:
        return {
            name: passed_on(frame, withheld(catalog.tables[name], catalog, facts.profile))
            for name, frame in frames.items()
        }

    def panels() -> tuple[Frames, Frames]:
        captures = load_captures(con, list(catalog.series))
        then, now = (
            panel_at(captures, moment, facts.run_date, catalog, facts.profile).panel
            for moment in (before.captured_until if before else None, None)
        )
        return without_withheld(record_of(then, stored)), without_withheld(record_of(now, stored))

    was = Published(
        pd.Timestamp(before.published_at) if before else None,
        without_withheld(before.tables if before else {}),
        before.backfilled(live) if before else set(),
        without_withheld(stored),
        _nightly(tables.as_staged["regime_nightly"], facts),
    )
    now = Staged(
        without_withheld({table.name: tables.as_staged[table.name] for table in catalog.as_of_tables()}),
        tables.as_staged["regime_nightly"],
        corrections[corrections["release_id"] == release_id],
        panels,
    )
    return found_again(was, now, catalog)


def _nightly(staged: pd.DataFrame, facts: RunFacts) -> pd.DataFrame:
    """`regime_nightly` of the published file of this profile; no row without such a file."""
    with released(facts.published_path) as file:
        if file is not None:
            profile = file.execute("SELECT profile FROM release_manifest").fetchall()[0][0]
            if profile == facts.profile:
                return frame_of(file, "SELECT * FROM regime_nightly")
    return staged.iloc[:0]
