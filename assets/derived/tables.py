"""The derived tables as assets: one per table, from the archive to a row per as-of date.

Belongs here: read, build, write, describe. Does not belong here: formulas (`assets/compute/tables`).
"""

import dagster as dg
import duckdb

from assets.asset_specs import raw_keys, table_description, table_metadata
from assets.catalog.loader import load_catalog
from assets.catalog.models import Profile, Table
from assets.compute.archive import Archive
from assets.compute.grid import Grid
from assets.compute.tables.build import BUILDERS, LONG_BUILDERS, build_long_table, build_table
from assets.materialized import table_result
from assets.run_facts import RunFacts
from assets.warehouse.readers import load_archive, read_table, run_grid
from assets.warehouse.resource import Warehouse
from assets.warehouse.tables import replace_slice, replace_table


def derived_table(name: str) -> dg.AssetsDefinition:
    """The asset `derived/<name>`: every month-end of the grid and the run date, as known on each."""
    catalog = load_catalog()
    table = catalog.tables[name]
    inputs = raw_keys(table, catalog)

    @dg.asset(
        key=dg.AssetKey(["derived", name]),
        deps=[dg.AssetKey(list(key)) for key in inputs.values()],
        group_name="derived",
        description=table_description(table),
        metadata=table_metadata(table, "derived"),
        kinds={"duckdb", "table"},
        owners=["team:macro"],
        tags={"layer": "derived", "published": "true"},
    )
    def derived(
        warehouse: dg.ResourceParam[Warehouse], facts: dg.ResourceParam[RunFacts]
    ) -> dg.MaterializeResult:
        with warehouse.cursor() as con:
            grid = run_grid(facts.run_date, catalog)
            _build(con, table, load_archive(con, sorted(inputs)), grid, facts.profile)
            return table_result(con, table, read_table(con, f"derived.{name}"), facts)

    return derived


def _build(
    con: duckdb.DuckDBPyConnection, table: Table, archive: Archive, grid: Grid, profile: Profile
) -> None:
    """Compute a table and write it, with where its figures come from."""
    catalog, name = load_catalog(), table.name
    if name in LONG_BUILDERS:  # its rows carry their provenance themselves
        replace_table(con, table, build_long_table(name, archive, grid, catalog, profile))
        return
    made = build_table(name, archive, grid, catalog, profile)
    replace_slice(con, catalog.tables["provenance"], made.provenance, "table_name", name)
    replace_table(con, table, made.frame)


DERIVED_TABLES = [derived_table(name) for name in (*BUILDERS, *LONG_BUILDERS)]
