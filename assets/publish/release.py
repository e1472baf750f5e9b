"""`publish/release`: the file analysts read, built next to the current one, checked, and swapped in."""

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from assets.asset_specs import NIGHTLY_FRESHNESS, OWNERS, VERDICT_COLUMNS, asset_key, preview, scores
from assets.catalog.loader import load_catalog
from assets.compute.registry import REGISTRY
from assets.plots import conditions_plot, score_plot
from assets.progress import progress
from assets.publish.documents.examples import first_queries
from assets.publish.documents.fill import fill_release
from assets.publish.folder import sha256_of
from assets.publish.gate import (
    GATE,
    MEANS,
    NOTHING_REACHED,
    blocking_rules,
    gate_check,
    not_evaluated,
    reached_something,
)
from assets.publish.ledger import Recorded, forget_results, record_publication
from assets.publish.manifest import release_facts
from assets.publish.publication import PublicationBlocked, publish, staged_path
from assets.publish.row_changes import settle_rows
from assets.publish.staged_file import build_release
from assets.run_facts import RunFacts
from assets.warehouse.connection import keep_copy
from assets.warehouse.published_file import Published
from assets.warehouse.readers import read_table, why_incomplete
from assets.warehouse.resource import Warehouse
from assets.warehouse.shared_lock import LockLost

_KEY = dg.AssetKey(["publish", "release"])
_UPSTREAM = [asset_key(name) for name in REGISTRY]
_BEFORE = """
SELECT regime, as_of_date FROM ops.publications
WHERE profile = ? AND release_id < ? ORDER BY release_id DESC LIMIT 1
"""
_QUERIES = """Open the file read-only, with `python -m pipelines open` or any DuckDB client:
```sql
{queries}
```
"""


@dg.asset(
    key=_KEY,
    deps=_UPSTREAM,
    group_name="publish",
    description="The published DuckDB file: built next to the current one, checked once more, and swapped by rename.",
    kinds={"duckdb", "file"},
    owners=[OWNERS["publish"]],
    tags={"layer": "publish"},
    freshness_policy=NIGHTLY_FRESHNESS,
    check_specs=[dg.AssetCheckSpec(GATE, asset=_KEY, blocking=True, description=MEANS)],
)
def release(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    facts: dg.ResourceParam[RunFacts],
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Nothing is swapped in that fails a critical rule, whatever the selection of the run."""
    catalog, staged = load_catalog(), staged_path(facts.published_path)
    with warehouse.cursor() as con:
        if not reached_something(con, facts):
            yield gate_check(con, facts, NOTHING_REACHED)
            raise dg.Failure(NOTHING_REACHED, allow_retries=False)
        unevaluated = not_evaluated(context.instance, context.run.run_id)
        of_release = release_facts(con, facts, dt.datetime.now(dt.UTC))
        incomplete = why_incomplete(con, facts.profile)
        if incomplete is not None:
            progress.warning(f"this publication is {incomplete}")
        settle_rows(con, facts, of_release, catalog)
        build_release(con, staged, catalog, of_release)
        try:
            published = publish(
                staged,
                facts.published_path,
                gate=lambda file: _gate(file, con, facts, warehouse.path, unevaluated),
                fill=partial(fill_release, incomplete=incomplete),
                confirm_lock=warehouse.confirm_lock,
            )
        except PublicationBlocked as blocked:
            found = gate_check(con, facts, str(blocked))
            yield found
            raise dg.Failure(
                f"publication blocked by the gate: {found.description}",
                metadata={"checks": ", ".join(blocked.checks), **_links(found)},
                allow_retries=False,
            ) from None
        except LockLost as lost:
            raise dg.Failure(str(lost), allow_retries=False) from None
        recorded = record_publication(con, facts.published_path, facts.profile, catalog)
        forget_results(con, facts.started_at)
        metadata, found = release_metadata(con, facts, published, recorded), gate_check(con, facts)
    progress.info(
        f"published {facts.published_path.name}: as of {published.as_of}, "
        f"{recorded.month_ends} month-ends for the first time"
    )
    yield dg.MaterializeResult(metadata=metadata, check_results=[found])


def _gate(
    staged: duckdb.DuckDBPyConnection,
    con: duckdb.DuckDBPyConnection,
    facts: RunFacts,
    warehouse: Path,
    unevaluated: Sequence[dg.AssetCheckKey],
) -> None:
    """Check the staged file, and keep a copy of what it was computed from. Raises PublicationBlocked."""
    failed = blocking_rules(staged, con, facts, unevaluated)
    if failed:
        raise PublicationBlocked(failed)
    keep_copy(con, warehouse)


def _links(gate: dg.AssetCheckResult) -> dict[str, Any]:
    """What the failed step shows of its gate: the asset whose check failed, and what to select to run it again."""
    names = ("first_failed", "select_to_run_again")
    return {name: gate.metadata[name] for name in names if name in gate.metadata}


def release_metadata(
    con: duckdb.DuckDBPyConnection, facts: RunFacts, published: Published, recorded: Recorded
) -> dict[str, Any]:
    """Metadata of `publish/release`; `con` is the warehouse, its record written."""
    regime = read_table(con, "regime.regime").sort_values("as_of_date")
    newest = regime.iloc[-1]
    seconds = (dt.datetime.now(dt.UTC) - facts.started_at).total_seconds()
    return {
        "verdict": dg.MetadataValue.md(f"**{newest['regime']}** since {newest['regime_since']:%Y-%m-%d}"),
        "changed": _changed(con, published, str(newest["regime"])),
        "profile": published.profile,
        "as_of_date": published.as_of.isoformat(),
        "release_id": published.release_id,
        "path": dg.MetadataValue.path(str(facts.published_path)),
        "sha256": f"{sha256_of(facts.published_path)[:16]} (first 16 digits)",
        "bytes": facts.published_path.stat().st_size,
        "seconds": round(seconds, 1),
        **scores(newest),
        "new_month_ends": recorded.month_ends,
        "preview": preview(regime[VERDICT_COLUMNS]),
        "conditions": conditions_plot(regime),
        "history": score_plot(regime, load_catalog().method),
        "first_queries": dg.MetadataValue.md(_QUERIES.format(queries="\n\n".join(first_queries()))),
    }


def _changed(con: duckdb.DuckDBPyConnection, published: Published, label: str) -> str:
    """Change of the label since the previous release."""
    before = con.execute(_BEFORE, [published.profile, published.release_id]).fetchall()
    if not before:
        return "first release of this profile"
    regime, as_of = before[0]
    if regime == label:
        return f"unchanged since the release as of {as_of}"
    return f"{regime} -> {label}, since {as_of}"
