"""A night of one publisher against a loopback server, archive and books included, without Dagster.

Belongs here: calling the raw layer as its asset does. Does not belong here: expectations.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import duckdb

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.raw.ingest import ingest
from assets.raw.keeping import Ingested
from assets.run_facts import RunFacts
from assets.sources.pacing import RetryBudget
from assets.sources.protocol import Source


def live_facts(started_at: dt.datetime, run_id: str | None = None) -> RunFacts:
    """Facts of a live run that began at a moment (aware)."""
    run_id = run_id or f"run-{started_at:%Y%m%d%H%M}"
    return RunFacts(run_id, "live", started_at.date(), started_at, Path(), Path("regime.duckdb"), "test")


def fred_night(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    started_at: dt.datetime,
    series: Sequence[Series] | None = None,
    budget: RetryBudget | None = None,
) -> list[Ingested]:
    """All live series of FRED, or some."""
    catalog = load_catalog()
    selected = (
        [s for s in catalog.in_profile("live") if s.source == "fred"] if series is None else list(series)
    )
    return ingest(con, selected, source, started_at.date(), live_facts(started_at), catalog, budget)


def statuses(done: Sequence[Ingested]) -> Counter[str]:
    """How many series have each status."""
    return Counter(one.status for one in done)
