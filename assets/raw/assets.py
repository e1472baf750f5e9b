"""The raw series as assets: one multi-asset per publisher, one asset per series.

Belongs here: specs and what a fetch reports to the UI. Does not belong here: fetching and merging (`ingest.py`).

The asset is our archive of the series. Every selected series yields a result every night, whatever its publisher
did: a missing output would skip everything downstream while the run stays green.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.asset_specs import series_metadata
from assets.catalog.loader import load_catalog
from assets.catalog.models import Series, SourceKey
from assets.freshness import NIGHTLY_FRESHNESS
from assets.progress import progress
from assets.raw.ingest import ingest
from assets.raw.keeping import Ingested
from assets.run_facts import RunFacts
from assets.sources.registry import Sources
from assets.warehouse.resource import Warehouse

SOURCES: tuple[SourceKey, ...] = ("fred", "fed_board", "fiscal_data", "shiller", "world_bank", "sample")
FETCHED = "fetched"  # tells what the publisher did; never blocks, coverage does
_FETCHED_MEANS = (
    "The publisher answered with something to be kept, took nothing back, and serves the values the archive holds. "
    "Never blocks: what is absent is a matter of coverage."
)
_STATUS_SAYS = {
    "new": "{new} new and {changed} changed of {served} rows served.",
    "unchanged": "All {served} rows served were held already.",
    "stale": "All {served} rows served were held already, and the newest figure is older than its limit.",
    "not_in_profile": "Not read in this profile.",
    "unreachable": "The publisher could not be reached.",
    "refused": "What was served was refused, and nothing of it was kept.",
}


def _spec(series: Series) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=dg.AssetKey(list(series.asset_key)),
        group_name=f"raw_{series.source}",
        description=f"{series.title} ({series.unit}, {series.frequency}). {series.publisher}.",
        metadata=series_metadata(series),
        kinds={"duckdb", series.source},
        owners=["team:macro"],
        tags={"layer": "raw", "rights": series.rights, "role": series.role},
        freshness_policy=NIGHTLY_FRESHNESS,
    )


def publisher_assets(source: SourceKey) -> dg.AssetsDefinition:
    """The multi-asset of one publisher."""
    by_key = {dg.AssetKey(list(s.asset_key)): s for s in load_catalog().by_source(source)}

    @dg.multi_asset(
        name=f"raw_{source}",
        specs=[_spec(series) for series in by_key.values()],
        check_specs=[dg.AssetCheckSpec(FETCHED, asset=key, description=_FETCHED_MEANS) for key in by_key],
        can_subset=True,
    )
    def publisher(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        sources: dg.ResourceParam[Sources],
        facts: dg.ResourceParam[RunFacts],
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        selected = [series for key, series in by_key.items() if key in context.selected_asset_keys]
        with warehouse.cursor() as con:
            is_asked = any(facts.profile in series.profiles for series in selected)
            done = ingest(
                con,
                selected,
                sources.of(source) if is_asked else None,
                sources.last_day(facts.started_at),
                facts,
                load_catalog(),
                sources.budget,
            )
        progress.info(f"raw/{source}: {_summary(done)}")
        for one in done:
            yield _result(one, facts)
        # after all results: a check looks up its asset's result, and all are then written at once
        for one in done:
            yield _check(one)

    return publisher


def _summary(done: list[Ingested]) -> str:
    """Counts for the progress line."""
    of_profile = [d for d in done if d.status != "not_in_profile"]
    counts = [
        f"{sum(d.counts.new for d in done)} new",
        f"{sum(d.counts.changed for d in done)} changed",
    ]
    counts += [
        f"{n} {status}"
        for status in ("unreachable", "refused")
        if (n := sum(d.status == status for d in done))
    ]
    if late := sum(d.late is not None for d in done):
        counts.append(f"{late} late")
    return f"{len(of_profile)} series, rows: {', '.join(counts)}" if of_profile else "none of this profile"


def _said(done: Ingested) -> str:
    """What the publisher did, in a sentence; then its own reason."""
    counts = done.counts
    served = counts.new + counts.changed + counts.unchanged
    said = _STATUS_SAYS[done.status].format(new=counts.new, changed=counts.changed, served=served)
    return f"{said} {done.message}" if done.message else said


def _result(done: Ingested, facts: RunFacts) -> dg.MaterializeResult:
    key = dg.AssetKey(list(done.series.asset_key))
    held = done.holding
    metadata: dict[str, Any] = {
        "profile": facts.profile,
        "fetch_status": done.status,
        "rows_held": held.vintages if held else 0,
        "rows_new": done.counts.new,
        "rows_revised": done.counts.revised,
        "rows_corrected": done.counts.corrected,
        "rows_unchanged": done.counts.unchanged,
        "rows_withdrawn": done.counts.withdrawn,
        "rows_retracted": done.counts.retracted,
        "requests": done.requests,
        "seconds": round(done.seconds, 3),
        "dagster/row_count": held.vintages if held else 0,
    }
    if held is not None:
        metadata["last_observation"] = held.last_observation.isoformat()
        if held.last_value is not None and done.series.rights != "restricted":
            metadata["last_value"] = held.last_value
    if done.late is not None:
        metadata["late_release"] = str(done.late)
    if done.message:
        metadata["message"] = done.message
    return dg.MaterializeResult(asset_key=key, metadata=metadata)


def _check(done: Ingested) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=FETCHED,
        asset_key=dg.AssetKey(list(done.series.asset_key)),
        passed=done.status in ("new", "unchanged", "stale", "not_in_profile") and not done.counts.warnings,
        severity=dg.AssetCheckSeverity.WARN,
        description=_said(done),
        metadata={"rows_new": done.counts.new, "rows_changed": done.counts.changed},
    )


RAW_ASSETS = [publisher_assets(source) for source in SOURCES]
