"""The audits of a staged file, whoever is about to publish it: method, immutability, rights, leak by recomputation.

Belongs here: which audits there are, and reading what they compare. Does not belong here: the comparisons
(`immutability.py`, `recompute.py`, `method.py`), the swap, the judgement of tables one by one (`registry.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from assets.compute.record import Frames, record_of
from assets.compute.registry import Computation
from assets.run_facts import RunFacts
from assets.warehouse.late import late_figures
from assets.warehouse.live import live_rows, panel_at, read_live
from assets.warehouse.published_file import release_before, released
from assets.warehouse.readers import frame_of, load_archive, load_captures, run_grid
from assets.warehouse.rights import passed_on, withheld
from checks.audits.immutability import Published, Staged, found_again, immutability_suite
from checks.audits.method import method_in_force, method_suite
from checks.audits.recompute import cut_dates, live_of, recompute_suite, recomputed
from checks.audits.rights import figures_disclosed, rights_suite
from checks.runner import SuiteResult, run_suite
from checks.staged import StagedTables

if TYPE_CHECKING:
    import duckdb

    from assets.catalog.models import Catalog


def audit_release(
    staged: duckdb.DuckDBPyConnection,
    con: duckdb.DuckDBPyConnection,
    tables: StagedTables,
    facts: RunFacts,
    catalog: Catalog,
) -> list[SuiteResult]:
    """Every audit; `tables` are those of the staged file, `con` the warehouse it was built from."""
    return [
        run_suite(method_in_force(catalog), method_suite()),
        _unchanged(staged, con, tables, facts, catalog),
        run_suite(figures_disclosed(tables.as_staged, tables.withheld), rights_suite()),
        _computed_again(staged, con, tables, facts, catalog),
    ]


def _computed_again(
    staged: duckdb.DuckDBPyConnection,
    con: duckdb.DuckDBPyConnection,
    tables: StagedTables,
    facts: RunFacts,
    catalog: Catalog,
) -> SuiteResult:
    """The audit by recomputation."""
    release_id = staged.execute("SELECT release_id FROM release_manifest").fetchall()[0][0]
    live = live_rows(con, facts.profile, catalog.method.method_version, facts.run_date)
    run = Computation(
        load_archive(con, list(catalog.series)),
        run_grid(facts.run_date, catalog),
        catalog,
        facts.profile,
        live_of(tables, catalog),
        stored={"late_figures": late_figures(con, facts.profile, catalog, live)},
    )
    return run_suite(recomputed(tables, run, cut_dates(run.grid, release_id)), recompute_suite())


def _unchanged(
    staged: duckdb.DuckDBPyConnection,
    con: duckdb.DuckDBPyConnection,
    tables: StagedTables,
    facts: RunFacts,
    catalog: Catalog,
) -> SuiteResult:
    """The immutability audit, on figures as a finding may name them, whatever the operator has published."""
    live = live_rows(con, facts.profile, catalog.method.method_version, facts.run_date)
    stored = read_live(con, catalog, live)
    before = release_before(con, facts, catalog)
    released_tables = before.tables if before else {}
    release_id = staged.execute("SELECT release_id FROM release_manifest").fetchall()[0][0]
    corrections = tables.as_staged["row_corrections"]

    def told(frames: Frames) -> Frames:
        return {
            name: passed_on(frame, withheld(catalog.tables[name], catalog, facts.profile))
            for name, frame in frames.items()
        }

    def panels() -> tuple[Frames, Frames]:
        captures = load_captures(con, list(catalog.series))
        made = [
            panel_at(captures, moment, facts.run_date, catalog, facts.profile).panel
            for moment in (before.captured_until if before else None, None)
        ]
        then, now = (told(record_of(frames, stored)) for frames in made)
        return then, now

    was = Published(
        pd.Timestamp(before.published_at) if before else None,
        told(released_tables),
        before.backfilled(live) if before else set(),
        told(stored),
        _nights(tables.as_staged["regime_nightly"], facts),
    )
    names = [table.name for table in catalog.as_of_tables()]
    now = Staged(
        told({name: tables.as_staged[name] for name in names}),
        tables.as_staged["regime_nightly"],
        corrections[corrections["release_id"] == release_id],
        panels,
    )
    return run_suite(found_again(was, now, catalog), immutability_suite())


def _nights(staged: pd.DataFrame, facts: RunFacts) -> pd.DataFrame:
    """What the published file of this profile said each night; nothing without such a file."""
    with released(facts.published_path) as file:
        if file is not None:
            profile = file.execute("SELECT profile FROM release_manifest").fetchall()[0][0]
            if profile == facts.profile:
                file.execute("SELECT * FROM regime_nightly")
                return frame_of(file)
    return staged.iloc[:0]
