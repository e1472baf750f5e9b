"""The regime, its evidence and what argues with it as assets, computed together from the derived tables.

Belongs here: read, build, write, describe. Does not belong here: formulas (`assets/compute`), publication.
"""

from collections.abc import Iterator

import dagster as dg
import duckdb
import pandas as pd

from assets.asset_specs import table_description, table_metadata
from assets.catalog.loader import load_catalog
from assets.catalog.models import Profile
from assets.compute.argument.tables import ARGUMENT
from assets.compute.computation import REGIME_INPUTS
from assets.compute.evidence import evidence_frame
from assets.compute.grid import Grid
from assets.compute.readings_frame import readings_from
from assets.compute.regime import build_regime, regime_frame
from assets.materialized import EVIDENCE_COLUMNS, VERDICT_COLUMNS, preview, scores, shown, table_result
from assets.plots import drawn_once, score_plot
from assets.run_facts import RunFacts
from assets.warehouse.grid import first_published_column, run_grid
from assets.warehouse.memory import built, grid_content, inputs_sha256, stand, tables_content
from assets.warehouse.readers import read_table
from assets.warehouse.resource import Warehouse
from assets.warehouse.tables import replace_table

_NAMES = ("regime", "regime_evidence", *ARGUMENT)


def _spec(name: str) -> dg.AssetSpec:
    table = load_catalog().tables[name]
    return dg.AssetSpec(
        key=dg.AssetKey(["regime", name]),
        deps=[dg.AssetKey(["derived", upstream]) for upstream in (*REGIME_INPUTS, "policy_events")],
        group_name="regime",
        description=table_description(table),
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
    tables = [catalog.tables[name] for name in _NAMES]
    with warehouse.cursor() as con:
        grid = run_grid(facts, catalog)
        published = first_published_column(con, grid, facts.profile, catalog)
        inputs = tables_content(con, [catalog.tables[name] for name in REGIME_INPUTS])
        read = inputs_sha256(facts.profile, grid_content(grid), inputs, str(published.to_list()))
        if not stand(con, tables, read):
            _build(con, grid, facts.profile, published)
            built(con, tables, read)
        frames = {table.name: read_table(con, f"regime.{table.name}") for table in tables}
        history = drawn_once(con, "score", lambda: score_plot(frames["regime"], catalog.method))
    regime, evidence = frames.pop("regime"), frames.pop("regime_evidence")
    newest = regime.iloc[-1]
    yield table_result(
        catalog.tables["regime"],
        regime,
        facts,
        verdict=dg.MetadataValue.md(f"**{newest['regime']}** since {newest['regime_since']:%Y-%m-%d}"),
        **scores(newest),
        preview=preview(regime[VERDICT_COLUMNS]),
        history=history,
    )
    of_newest = evidence[evidence["as_of_date"] == newest["as_of_date"]]
    newest_evidence = shown(catalog.tables["regime_evidence"], of_newest, facts)
    yield table_result(
        catalog.tables["regime_evidence"],
        evidence,
        facts,
        preview=preview(newest_evidence[EVIDENCE_COLUMNS], rows=len(newest_evidence)),
    )
    for name, frame in frames.items():
        yield table_result(catalog.tables[name], frame, facts)


def _build(con: duckdb.DuckDBPyConnection, grid: Grid, profile: Profile, published: pd.Series) -> None:
    """Compute and write the regime, its evidence and what argues with it."""
    catalog = load_catalog()
    frames = {name: read_table(con, f"derived.{name}") for name in REGIME_INPUTS}
    readings = readings_from(frames, read_table(con, "derived.provenance"), grid)
    made = build_regime(readings, grid, catalog)
    regime = regime_frame(made, readings, frames, catalog)
    regime["profile"] = profile
    regime["first_published_at"] = published
    replace_table(con, catalog.tables["regime"], regime)
    replace_table(con, catalog.tables["regime_evidence"], evidence_frame(made, catalog))
    for name, build in ARGUMENT.items():
        replace_table(con, catalog.tables[name], build(made, readings, catalog), may_be_empty=True)
