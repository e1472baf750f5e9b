"""The raw series as Dagster assets: one multi-asset per publisher, one asset per series.

Every selected series yields a result in every run, whatever its publisher does: a missing output would skip everything
downstream while the run stays green. A step fails at its end when a refused series blocks the publication: the steps
downstream run all the same (`pipelines/definitions.py`), and re-execution from failure fetches again.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, get_args

import dagster as dg

from assets.asset_specs import NIGHTLY_FRESHNESS, OWNERS, series_metadata
from assets.catalog.loader import load_catalog
from assets.catalog.models import Series, SourceKey
from assets.progress import progress
from assets.raw.ingest import ingest
from assets.run_facts import RunFacts
from assets.sources.registry import Sources
from assets.warehouse.fetches import Ingested
from assets.warehouse.readers import BLOCKING_ROLES
from assets.warehouse.resource import Warehouse


def _spec(series: Series) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=dg.AssetKey(list(series.asset_key)),
        group_name=f"raw_{series.source}",
        description=f"{series.title} ({series.unit}, {series.frequency}). {series.publisher}.",
        metadata=series_metadata(series),
        kinds={"duckdb", series.source},
        owners=[OWNERS["raw"]],
        tags={"layer": "raw", "rights": series.rights, "role": series.role},
        freshness_policy=NIGHTLY_FRESHNESS,
    )


def publisher_assets(source: SourceKey) -> dg.AssetsDefinition:
    """The multi-asset of one publisher."""
    by_key = {dg.AssetKey(list(s.asset_key)): s for s in load_catalog().by_source(source)}

    @dg.multi_asset(
        name=f"raw_{source}", specs=[_spec(series) for series in by_key.values()], can_subset=True
    )
    def publisher(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        sources: dg.ResourceParam[Sources],
        facts: dg.ResourceParam[RunFacts],
    ) -> Iterator[dg.MaterializeResult]:
        selected = [series for key, series in by_key.items() if key in context.selected_asset_keys]
        is_used = any(facts.profile in series.profiles for series in selected)
        done = []
        with warehouse.cursor() as con:
            results = ingest(
                con,
                selected,
                sources.of(source) if is_used else None,
                sources.last_day(facts.started_at),
                facts,
                load_catalog(),
                sources.budget,
            )
            with closing(results):  # an interrupted run writes what was fetched while the cursor is open
                for one in results:
                    done.append(one)
                    yield _result(one, facts)
        progress.info(f"raw/{source}: {_summary(done)}")
        refused = [one for one in done if one.status == "refused" and one.series.role in BLOCKING_ROLES]
        if refused:
            raise dg.Failure(
                f"blocks the publication: {'; '.join(str(one.message) for one in refused)}. All other series are "
                "stored. Once it is corrected, re-execute this run from failure, or on a later day the complete job.",
                allow_retries=False,
            )

    return publisher


def _summary(done: list[Ingested]) -> str:
    """Counts for the progress line."""
    of_profile = [one for one in done if one.status != "not_in_profile"]
    if not of_profile:
        return "not in this profile"
    counts = [
        f"{sum(one.counts.new for one in done)} new",
        f"{sum(one.counts.changed for one in done)} changed",
    ]
    for status in ("unreachable", "refused"):
        if number := sum(one.status == status for one in done):
            counts.append(f"{number} {status}")
    if late := sum(one.late is not None for one in done):
        counts.append(f"{late} late")
    return f"{len(of_profile)} series, rows: {', '.join(counts)}"


def _result(done: Ingested, facts: RunFacts) -> dg.MaterializeResult:
    stored = done.holding
    rows = stored.vintages if stored else 0
    metadata: dict[str, Any] = {
        "profile": facts.profile,
        "fetch_status": done.status,
        "rows_held": rows,
        **done.counts.as_columns(),
        "requests": done.requests,
        "seconds": round(done.seconds, 3),
        "dagster/row_count": rows,
    }
    if stored is not None:
        metadata["last_observation"] = stored.last_observation.isoformat()
        if stored.last_value is not None and done.series.rights != "restricted":
            metadata["last_value"] = stored.last_value
    if done.late is not None:
        metadata["late_release"] = str(done.late)
    if done.message:
        metadata["message"] = done.message
    return dg.MaterializeResult(asset_key=dg.AssetKey(list(done.series.asset_key)), metadata=metadata)


RAW_ASSETS = [publisher_assets(source) for source in get_args(SourceKey)]
