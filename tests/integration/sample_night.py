"""Nights on the sample without Dagster: archive, derived tables, regime and release, by the same functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from pathlib import Path

import duckdb
import numpy as np

from assets.catalog.loader import load_catalog
from assets.catalog.models import Profile
from assets.compute.calendar import released_on
from assets.compute.diagnostics.builders import DIAGNOSTICS, HINDSIGHT
from assets.compute.diagnostics.caveats import INPUTS, caveats_frame
from assets.compute.evidence import evidence_frame
from assets.compute.phases import build_phases
from assets.compute.readings_frame import readings_from
from assets.compute.record import overlaid_regime
from assets.compute.regime import build_regime, regime_frame
from assets.compute.tables.build import BUILDERS, LONG_BUILDERS, build_long_table, build_table
from assets.derived.ledgers import policy_events_frame, reference_values_frame
from assets.publish.manifest import release_facts
from assets.publish.row_changes import settle_rows
from assets.publish.staged_file import build_release
from assets.run_facts import RunFacts
from assets.sources.sample import SampleSource
from assets.warehouse.late import late_figures
from assets.warehouse.live import complete_live_rows, live_rows, read_live, read_record
from assets.warehouse.merge import merge_source
from assets.warehouse.readers import first_published_column, load_archive, read_table, run_grid
from assets.warehouse.tables import replace_slice, replace_table

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_END = dt.date(2026, 5, 31)


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
    compute_tables(con, facts)


def compute_tables(con: duckdb.DuckDBPyConnection, facts: RunFacts) -> None:
    """Derived tables, regime and what is about the record, from the archive as it is."""
    catalog = load_catalog()
    grid = run_grid(facts.run_date, catalog)
    archive = load_archive(con, list(catalog.series))
    for name in BUILDERS:
        built = build_table(name, archive, grid, catalog, facts.profile)
        replace_table(con, catalog.tables[name], built.frame)
        replace_slice(con, catalog.tables["provenance"], built.provenance, "table_name", name)
    for name in LONG_BUILDERS:
        replace_table(
            con, catalog.tables[name], build_long_table(name, archive, grid, catalog, facts.profile)
        )
    frames = {name: read_table(con, f"derived.{name}") for name in BUILDERS}
    readings = readings_from(frames, read_table(con, "derived.provenance"), grid)
    computed = build_regime(readings, grid, catalog)
    regime = regime_frame(computed, readings, frames, catalog)
    regime["profile"] = facts.profile
    regime["first_published_at"] = first_published_column(con, grid, facts.profile, catalog)
    for column in catalog.tables["regime"].column_names:
        if column not in regime:  # beside the label, and not what these tests are about
            regime[column] = np.nan
    replace_table(con, catalog.tables["regime"], regime)
    replace_table(con, catalog.tables["regime_evidence"], evidence_frame(computed, catalog))
    complete_live_rows(con, facts.profile, facts.run_date, catalog)
    live = live_rows(con, facts.profile, catalog.method.method_version, facts.run_date)
    of_record = overlaid_regime(computed, read_live(con, catalog, live))
    for name, build in DIAGNOSTICS.items():
        asked = computed if catalog.tables[name].is_as_of else of_record
        replace_table(con, catalog.tables[name], build(asked, readings, catalog), may_be_empty=True)
    regime = read_record(con, "regime", catalog, facts.profile, facts.run_date)
    for name, look_back in HINDSIGHT.items():
        replace_table(
            con,
            catalog.tables[name],
            look_back(archive, grid, regime, catalog, facts.profile),
            may_be_empty=True,
        )
    phases = build_phases(archive, grid, catalog, facts.profile, regime)
    replace_table(con, catalog.tables["qe_phases"], phases.frame)
    replace_slice(con, catalog.tables["provenance"], phases.provenance, "table_name", "qe_phases")
    replace_table(con, catalog.tables["policy_events"], policy_events_frame(catalog))
    replace_table(con, catalog.tables["reference_values"], reference_values_frame(catalog))
    late = late_figures(con, facts.profile, catalog, live)
    replace_table(con, catalog.tables["late_figures"], late, may_be_empty=True)
    said_of = {name: read_record(con, name, catalog, facts.profile, facts.run_date) for name in INPUTS}
    replace_table(con, catalog.tables["caveats"], caveats_frame(said_of, catalog))


def stage(con: duckdb.DuckDBPyConnection, facts: RunFacts, staged: Path) -> None:
    """The staged file of one night, its month-ends frozen and its corrections listed."""
    built_at = facts.started_at + dt.timedelta(seconds=5)
    of_release = release_facts(con, facts, built_at)
    settle_rows(con, facts, of_release, load_catalog())
    build_release(con, staged, load_catalog(), of_release)
