"""`publish/release`: the file analysts read, built beside, judged, and swapped in.

Belongs here: build, judge, publish, write the books, describe. Does not belong here: what is in the file
(`warehouse/release.py`), the rules (`checks`), the rename (`warehouse/publication.py`).
"""

import datetime as dt
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import dagster as dg
import duckdb

from assets.catalog.loader import load_catalog
from assets.compute.diagnostics.builders import DIAGNOSTICS, HINDSIGHT
from assets.compute.tables.build import BUILDERS, LONG_BUILDERS
from assets.freshness import NIGHTLY_FRESHNESS
from assets.progress import progress
from assets.publish.describe import release_metadata
from assets.publish.documents.fill import fill_release
from assets.publish.gate import judged, refuse_when_nothing_was_reached
from assets.publish.gate_check import GATE, MEANS, gate_check
from assets.publish.rows import settle_rows
from assets.run_facts import RunFacts
from assets.warehouse.ledger import forget_results, record_publication
from assets.warehouse.publication import Held, publish, staged_path
from assets.warehouse.release import build_release, release_facts, why_incomplete
from assets.warehouse.resource import Warehouse
from assets.warehouse.safety import keep_copy

_KEY = dg.AssetKey(["publish", "release"])
_UPSTREAM = [
    *(
        dg.AssetKey(["derived", name])
        for name in (*BUILDERS, *LONG_BUILDERS, "policy_events", "reference_values")
    ),
    *(
        dg.AssetKey(["regime", name])
        for name in (
            "regime",
            "regime_evidence",
            "qe_phases",
            "late_figures",
            "caveats",
            *DIAGNOSTICS,
            *HINDSIGHT,
        )
    ),
]


@dg.asset(
    key=_KEY,
    deps=_UPSTREAM,
    group_name="publish",
    description="The published DuckDB file: built beside the old one, judged once more, and swapped by rename.",
    kinds={"duckdb", "file"},
    owners=["team:macro"],
    tags={"layer": "publish"},
    freshness_policy=NIGHTLY_FRESHNESS,
    check_specs=[dg.AssetCheckSpec(GATE, asset=_KEY, blocking=True, description=MEANS)],
)
def release(
    warehouse: dg.ResourceParam[Warehouse], facts: dg.ResourceParam[RunFacts]
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Whoever starts it, and with whatever selection: nothing is swapped in that the critical rules do not pass."""
    catalog, staged = load_catalog(), staged_path(facts.published_path)
    warehouse.write_out()  # the release states what the checks of this run found
    with warehouse.cursor() as con:
        refuse_when_nothing_was_reached(con, facts)
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
                gate=lambda file: _gate(file, con, facts, warehouse.path),
                fill=partial(fill_release, incomplete=incomplete),
            )
        except Held as held:
            yield gate_check(con, facts)
            raise dg.Failure(
                str(held), metadata={"checks": ", ".join(held.checks)}, allow_retries=False
            ) from None
        recorded = record_publication(con, facts.published_path, facts.profile, catalog)
        forget_results(con, facts.started_at)
        metadata, found = release_metadata(con, facts, published, recorded), gate_check(con, facts)
    progress.info(
        f"published {facts.published_path.name}: as of {published.as_of}, "
        f"{recorded.month_ends} month-ends for the first time"
    )
    yield dg.MaterializeResult(metadata=metadata, check_results=[found])


def _gate(
    staged: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection, facts: RunFacts, warehouse: Path
) -> None:
    """Judge the staged file itself; raises Held. What was found is kept either way.

    What passes is about to be published: first a copy is kept of what it rests on.
    """
    failed = judged(staged, con, facts)
    if failed:
        raise Held(failed)
    keep_copy(con, warehouse)
