"""Every derived and regime table as an asset, made from the registry of computed tables."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import duckdb
import pandas as pd

from assets.asset_specs import (
    EVIDENCE_COLUMNS,
    OWNERS,
    VERDICT_COLUMNS,
    asset_key,
    preview,
    raw_keys,
    scores,
    shown,
    table_metadata,
    table_result,
)
from assets.catalog.loader import load_catalog
from assets.catalog.models import Table
from assets.catalog.render import table_comment
from assets.compute.registry import REGISTRY, Computation
from assets.plots import score_plot
from assets.run_facts import RunFacts
from assets.warehouse.live import LiveRow, complete_live_rows, late_figures, live_rows, read_live
from assets.warehouse.readers import brought_files, first_published_column, load_archive, read_table, run_grid
from assets.warehouse.resource import Warehouse
from assets.warehouse.writing import replace_slice, replace_table


def compute_tables(con: duckdb.DuckDBPyConnection, names: list[str], facts: RunFacts) -> None:
    """Compute tables of one step from the warehouse and write them, with their provenance.

    Raises ValueError when a table they read was computed for another run date.
    """
    catalog = load_catalog()
    live = live_rows(con, facts.profile, catalog.method.method_version, facts.run_date)
    if "regime" in names:  # what reads the live rows
        complete_live_rows(con, facts.profile, facts.run_date, catalog)
    if names == ["late_figures"]:
        frame = late_figures(con, facts.profile, catalog, live)
        replace_table(con, catalog.tables["late_figures"], frame, may_be_empty=True)
        return
    run = _computation(con, names, facts, live)
    for name in names:
        table, built = catalog.tables[name], run.built(name)
        frame = built.frame
        if name == "regime":
            first = first_published_column(con, run.grid, facts.profile, catalog)
            frame = frame.assign(profile=facts.profile, first_published_at=first)
        replace_table(con, table, frame, may_be_empty=table.may_be_empty)
        if built.provenance is not None:
            replace_slice(con, catalog.tables["provenance"], built.provenance, "table_name", name)


def _computation(
    con: duckdb.DuckDBPyConnection, names: list[str], facts: RunFacts, live: list[LiveRow]
) -> Computation:
    """What the tables are computed from: series of the archive, stored tables, live rows."""
    catalog, entries = load_catalog(), [REGISTRY[name] for name in names]
    series = {
        series_id
        for entry in entries
        if entry.reads_archive
        for series_id in raw_keys(catalog.tables[entry.name], catalog)
    }
    reads = {name for entry in entries for name in entry.reads}
    stored = {name: read_table(con, f"{catalog.tables[name].layer}.{name}") for name in sorted(reads)}
    if "regime" in names:
        stored["provenance"] = read_table(con, "derived.provenance")
    return Computation(
        load_archive(con, sorted(series)),
        run_grid(facts.run_date, catalog),
        catalog,
        facts.profile,
        read_live(con, catalog, live),
        stored,
        brought_files(catalog, facts) if "outside_references" in names else {},
    )


def _spec(name: str) -> dg.AssetSpec:
    catalog = load_catalog()
    table = catalog.tables[name]
    raw = [dg.AssetKey(list(key)) for key in raw_keys(table, catalog).values()]
    return dg.AssetSpec(
        key=asset_key(name),
        deps=[asset_key(read) for read in REGISTRY[name].reads] or raw,
        group_name=table.layer,
        description=table_comment(table),
        metadata=table_metadata(table, table.layer),
        kinds={"duckdb", "table"},
        owners=[OWNERS[table.layer]],
        tags={"layer": table.layer, "published": "true"},
    )


def _asset(op: str, names: list[str]) -> dg.AssetsDefinition:
    """The asset of one table, or of tables that are computed together."""

    @dg.multi_asset(name=op, specs=[_spec(name) for name in names])
    def computed(
        warehouse: dg.ResourceParam[Warehouse], facts: dg.ResourceParam[RunFacts]
    ) -> Iterator[dg.MaterializeResult]:
        with warehouse.cursor() as con:
            compute_tables(con, names, facts)
            results = [_result(con, load_catalog().tables[name], facts) for name in names]
        yield from results

    return computed


def _result(con: duckdb.DuckDBPyConnection, table: Table, facts: RunFacts) -> dg.MaterializeResult:
    frame = read_table(con, f"{table.layer}.{table.name}")
    extra = _METADATA.get(table.name)
    return table_result(con, table, frame, facts, **(extra(frame, facts) if extra else {}))


def _of_regime(regime: pd.DataFrame, facts: RunFacts) -> dict[str, Any]:
    """Label, scores and history."""
    newest = regime.iloc[-1]
    return {
        "verdict": dg.MetadataValue.md(f"**{newest['regime']}** since {newest['regime_since']:%Y-%m-%d}"),
        **scores(newest),
        "preview": preview(regime[VERDICT_COLUMNS]),
        "history": score_plot(regime, load_catalog().method),
    }


def _of_evidence(evidence: pd.DataFrame, facts: RunFacts) -> dict[str, Any]:
    """The evidence for the newest date, in full."""
    newest = evidence[evidence["as_of_date"] == evidence["as_of_date"].max()]
    newest = shown(load_catalog().tables["regime_evidence"], newest, facts)
    return {"preview": preview(newest[EVIDENCE_COLUMNS], rows=len(newest))}


_METADATA: dict[str, Callable[[pd.DataFrame, RunFacts], dict[str, Any]]] = {
    "regime": _of_regime,
    "regime_evidence": _of_evidence,
    "qe_phases": lambda phases, _: {
        f"{name}_today": int(phases[f"{name}_conditions"].iloc[-1]) for name in ("hot", "cold")
    },
    "caveats": lambda caveats, _: {"apply_now": int(caveats["applies_now"].sum())},
}


def steps() -> dict[str, list[str]]:
    """Tables by op, in the order they are computed: alone, or with those that share intermediate results."""
    found: dict[str, list[str]] = {}
    for name, entry in REGISTRY.items():
        found.setdefault(entry.step or f"{load_catalog().tables[name].layer}__{name}", []).append(name)
    return found


COMPUTED_TABLES = [_asset(op, names) for op, names in steps().items()]
