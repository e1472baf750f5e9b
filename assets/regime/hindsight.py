"""What today says of the labels, as assets: with revised figures, and what followed.

Belongs here: read, build, write, describe. Does not belong here: formulas (`assets/compute/diagnostics`).
"""

from collections.abc import Iterator

import dagster as dg

from assets.asset_specs import raw_keys, table_description, table_metadata
from assets.catalog.loader import load_catalog
from assets.compute.computation import REGIME_INPUTS
from assets.compute.diagnostics.builders import HINDSIGHT
from assets.compute.diagnostics.returns import SERIES
from assets.materialized import table_result
from assets.run_facts import RunFacts
from assets.warehouse.live import read_record
from assets.warehouse.readers import load_archive, read_table, run_grid
from assets.warehouse.resource import Warehouse
from assets.warehouse.tables import replace_table


def _spec(name: str) -> dg.AssetSpec:
    table = load_catalog().tables[name]
    return dg.AssetSpec(
        key=dg.AssetKey(["regime", name]),
        deps=[dg.AssetKey(["regime", "regime"])],
        group_name="regime",
        description=table_description(table),
        metadata=table_metadata(table, "regime"),
        kinds={"duckdb", "table"},
        owners=["team:macro"],
        tags={"layer": "regime", "published": "true"},
    )


@dg.multi_asset(name="hindsight", specs=[_spec(name) for name in HINDSIGHT])
def hindsight_tables(
    warehouse: dg.ResourceParam[Warehouse], facts: dg.ResourceParam[RunFacts]
) -> Iterator[dg.MaterializeResult]:
    """The same dates with today's figures, and what three assets did after every regime."""
    catalog = load_catalog()
    inputs = {s for name in REGIME_INPUTS for s in raw_keys(catalog.tables[name], catalog)} | set(SERIES)
    tables = [catalog.tables[name] for name in HINDSIGHT]
    with warehouse.cursor() as con:
        grid = run_grid(facts.run_date, catalog)
        archive = load_archive(con, sorted(inputs))
        regime = read_record(con, "regime", catalog, facts.profile, facts.run_date)
        for table in tables:
            frame = HINDSIGHT[table.name](archive, grid, regime, catalog, facts.profile)
            replace_table(con, table, frame, may_be_empty=True)
        results = [
            table_result(con, table, read_table(con, f"regime.{table.name}"), facts) for table in tables
        ]
    yield from results
