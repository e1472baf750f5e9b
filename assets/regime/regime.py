"""The regime and its evidence as assets, computed together from the derived tables.

Belongs here: read, build, write, describe. Does not belong here: formulas (`assets/compute`), publication.
"""

from collections.abc import Iterator

import dagster as dg

from assets.asset_specs import table_metadata
from assets.catalog.loader import load_catalog
from assets.compute.evidence import evidence_frame
from assets.compute.readings_frame import readings_from
from assets.compute.regime import build_regime, regime_frame
from assets.compute.tables.build import BUILDERS
from assets.materialized import table_result
from assets.run_facts import RunFacts
from assets.warehouse.grid import first_published_column, run_grid
from assets.warehouse.readers import read_table
from assets.warehouse.resource import Warehouse
from assets.warehouse.tables import replace_table

_NAMES = ("regime", "regime_evidence")


def _spec(name: str) -> dg.AssetSpec:
    table = load_catalog().tables[name]
    return dg.AssetSpec(
        key=dg.AssetKey(["regime", name]),
        deps=[dg.AssetKey(["derived", upstream]) for upstream in (*BUILDERS, "policy_events")],
        group_name="regime",
        description=f"{table.title}. {table.grain}",
        metadata=table_metadata(table, "regime"),
        kinds={"duckdb", "table"},
        owners=["team:macro"],
        tags={"layer": "regime", "published": "true"},
    )


@dg.multi_asset(name="regime", specs=[_spec(name) for name in _NAMES])
def regime_tables(
    warehouse: dg.ResourceParam[Warehouse], facts: dg.ResourceParam[RunFacts]
) -> Iterator[dg.MaterializeResult]:
    """What easing, or tightening, is poured into, on every month-end and the run date, with the evidence for it."""
    catalog = load_catalog()
    with warehouse.cursor() as con:
        grid = run_grid(con, facts, catalog)
        frames = {name: read_table(con, f"derived.{name}") for name in BUILDERS}
        readings = readings_from(frames, read_table(con, "derived.provenance"), grid)
        built = build_regime(readings, grid, catalog)
        regime = regime_frame(built, readings, frames, catalog)
        regime["profile"] = facts.profile
        regime["first_published_at"] = first_published_column(grid)
        evidence = evidence_frame(built, catalog)
        replace_table(con, catalog.tables["regime"], regime)
        replace_table(con, catalog.tables["regime_evidence"], evidence)
    newest = regime.iloc[-1]
    yield table_result(
        catalog.tables["regime"],
        regime,
        facts,
        verdict=dg.MetadataValue.md(f"**{newest['regime']}** since {newest['regime_since']:%Y-%m-%d}"),
        bubble_score=float(newest["bubble_score"]),
        coverage=float(newest["coverage"]),
    )
    yield table_result(catalog.tables["regime_evidence"], evidence, facts)
