"""The regime, its evidence and what argues with it as assets, computed together from the derived tables.

Belongs here: read, build, write, describe. Does not belong here: formulas (`assets/compute`), publication.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb
import pandas as pd

from assets.asset_specs import table_description, table_metadata
from assets.catalog.loader import load_catalog
from assets.compute.computation import REGIME_INPUTS
from assets.compute.diagnostics.builders import DIAGNOSTICS
from assets.compute.evidence import evidence_frame
from assets.compute.grid import Grid
from assets.compute.readings_frame import readings_from
from assets.compute.record import overlaid_regime
from assets.compute.regime import build_regime, regime_frame
from assets.materialized import EVIDENCE_COLUMNS, VERDICT_COLUMNS, preview, scores, shown, table_result
from assets.plots import score_plot
from assets.run_facts import RunFacts
from assets.warehouse.live import complete_live_rows, live_rows, read_live
from assets.warehouse.readers import first_published_column, read_table, run_grid
from assets.warehouse.resource import Warehouse
from assets.warehouse.tables import replace_table

_NAMES = ("regime", "regime_evidence", *DIAGNOSTICS)


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
    with warehouse.cursor() as con:
        _build(con, run_grid(facts.run_date, catalog), facts)
        frames = {name: read_table(con, f"regime.{name}") for name in _NAMES}
        extra = {
            "regime": _of_verdict(frames["regime"]),
            "regime_evidence": _of_newest_evidence(frames["regime_evidence"], facts),
        }
        results = [
            table_result(con, catalog.tables[name], frame, facts, **extra.get(name, {}))
            for name, frame in frames.items()
        ]
    yield from results


def _of_verdict(regime: pd.DataFrame) -> dict[str, Any]:
    """Metadata of `regime`: label, scores and history."""
    newest = regime.iloc[-1]
    return {
        "verdict": dg.MetadataValue.md(f"**{newest['regime']}** since {newest['regime_since']:%Y-%m-%d}"),
        **scores(newest),
        "preview": preview(regime[VERDICT_COLUMNS]),
        "history": score_plot(regime, load_catalog().method),
    }


def _of_newest_evidence(evidence: pd.DataFrame, facts: RunFacts) -> dict[str, Any]:
    """Metadata of `regime_evidence`: the evidence for the newest date, in full."""
    newest = evidence[evidence["as_of_date"] == evidence["as_of_date"].max()]
    newest = shown(load_catalog().tables["regime_evidence"], newest, facts)
    return {"preview": preview(newest[EVIDENCE_COLUMNS], rows=len(newest))}


def _build(con: duckdb.DuckDBPyConnection, grid: Grid, facts: RunFacts) -> None:
    """Compute and write the regime, its evidence and what argues with it."""
    catalog = load_catalog()
    frames = {name: read_table(con, f"derived.{name}") for name in REGIME_INPUTS}
    readings = readings_from(frames, read_table(con, "derived.provenance"), grid)
    made = build_regime(readings, grid, catalog)
    regime = regime_frame(made, readings, frames, catalog)
    profile, run_date = facts.profile, facts.run_date
    regime["profile"] = profile
    regime["first_published_at"] = first_published_column(con, grid, profile, catalog)
    replace_table(con, catalog.tables["regime"], regime)
    replace_table(con, catalog.tables["regime_evidence"], evidence_frame(made, catalog))
    complete_live_rows(con, profile, run_date, catalog)
    live = live_rows(con, profile, catalog.method.method_version, run_date)
    of_record = overlaid_regime(made, read_live(con, catalog, live))
    for name, build in DIAGNOSTICS.items():
        asked = made if catalog.tables[name].is_as_of else of_record
        replace_table(con, catalog.tables[name], build(asked, readings, catalog), may_be_empty=True)
