"""Nights on the sample without Dagster: archive, derived tables, regime and release, by the same functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from pathlib import Path

import duckdb

from assets.catalog.loader import load_catalog
from assets.catalog.models import Profile
from assets.compute.calendar import released_on
from assets.computed import compute_tables, steps
from assets.publish.manifest import release_facts
from assets.publish.row_changes import settle_rows
from assets.publish.staged_file import build_release
from assets.run_facts import RunFacts
from assets.sources.sample import SampleSource
from assets.warehouse.merge import merge_source

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_END = dt.date(2026, 9, 30)


def _nothing(con: duckdb.DuckDBPyConnection) -> None:
    """No figures beside the sample's."""


def night_facts(
    place: Path,
    as_of: dt.date,
    started_at: dt.datetime,
    run_id: str = "night",
    profile: Profile = "sample",
    *,
    is_historical: bool = False,
) -> RunFacts:
    """Facts of a run in the data directory `place`."""
    published = place / "published" / "regime.duckdb"
    return RunFacts(
        run_id, profile, as_of, started_at, ROOT, published, "0.1.0+test", is_historical=is_historical
    )


def fill(
    con: duckdb.DuckDBPyConnection,
    facts: RunFacts,
    also: Callable[[duckdb.DuckDBPyConnection], None] = _nothing,
    without: Collection[str] = (),
) -> None:
    """Archive, derived tables and regime of one night: on the sample's figures, and what `also` puts beside them.

    Series named in `without` cannot be reached that night.
    """
    catalog, source = load_catalog(), SampleSource(ROOT)
    series = [s for s in catalog.in_profile("sample") if s.series_id not in without]
    merge_source(
        con,
        [(s, source.fetch(s), f"{facts.run_id}-{s.series_id}") for s in series],
        run_date=SAMPLE_END,
        captured_at=facts.started_at,
        released_on={s.series_id: released_on(catalog.release_delays, s.series_id) for s in series},
    )
    also(con)
    compute_all(con, facts)


def compute_all(con: duckdb.DuckDBPyConnection, facts: RunFacts) -> None:
    """Every computed table, from the archive as it is."""
    for names in steps().values():
        compute_tables(con, names, facts)


def stage(con: duckdb.DuckDBPyConnection, facts: RunFacts, staged: Path) -> None:
    """The staged file of one night, its month-ends frozen and its corrections listed."""
    built_at = facts.started_at + dt.timedelta(seconds=5)
    of_release = release_facts(con, facts, built_at)
    settle_rows(con, facts, of_release, load_catalog())
    build_release(con, staged, load_catalog(), of_release)
