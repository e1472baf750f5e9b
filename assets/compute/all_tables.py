"""Every computed table of a release in memory, by name, from an archive and a grid.

Belongs here: the list of all of them, for whoever proves a release. Does not belong here: formulas, storage, what is
declared rather than computed (ledgers, dictionary) or about a run (checks, manifest). The nightly assets make the same
tables one by one, through the warehouse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from assets.compute.archive import Archive
from assets.compute.computation import REGIME_INPUTS
from assets.compute.conditions import Readings
from assets.compute.diagnostics.builders import DIAGNOSTICS, HINDSIGHT
from assets.compute.evidence import evidence_frame
from assets.compute.grid import Grid
from assets.compute.phases import build_phases
from assets.compute.record import Frames, overlaid_regime, record_of
from assets.compute.regime import Regime, build_regime, regime_frame
from assets.compute.tables.assemble import assemble, readings_of
from assets.compute.tables.build import BUILDERS, LONG_BUILDERS, build_view

if TYPE_CHECKING:
    from assets.catalog.models import Catalog, Profile

NO_LIVE_ROWS: Frames = {}


@dataclass(frozen=True)
class Panel:
    """Every as-of table of a grid, computed from one archive. `tables` by name, `provenance` of those that have one."""

    tables: Mapping[str, pd.DataFrame]
    provenance: pd.DataFrame
    regime: Regime
    readings: Readings


def panel(archive: Archive, grid: Grid, catalog: Catalog, profile: Profile) -> Panel:
    """The as-of tables: what was known on each date of the grid, and nothing else."""
    view = build_view(archive, grid, catalog, profile)
    columns = {name: build(view, grid) for name, build in BUILDERS.items()}
    built = {name: assemble(catalog.tables[name], grid, of) for name, of in columns.items()}
    tables = {name: table.frame for name, table in built.items()}
    readings = readings_of({name: columns[name] for name in REGIME_INPUTS})
    regime = build_regime(readings, grid, catalog)
    tables["regime"] = regime_frame(regime, readings, tables, catalog)
    tables["regime_evidence"] = evidence_frame(regime, catalog)
    for name, build_long in LONG_BUILDERS.items():
        tables[name] = build_long(view, grid, catalog.tables[name])
    for name, build in DIAGNOSTICS.items():
        if catalog.tables[name].is_as_of:
            tables[name] = build(regime, readings, catalog)
    provenance = pd.concat([table.provenance for table in built.values()], ignore_index=True)
    return Panel(tables, provenance, regime, readings)


def all_tables(
    archive: Archive, grid: Grid, catalog: Catalog, profile: Profile, live: Frames = NO_LIVE_ROWS
) -> dict[str, pd.DataFrame]:
    """Regime, evidence, derived tables, and what argues with the label and looks back at it, as published.

    `live` holds the live rows by table; what is about the record reads them, the panel does not.
    """
    made = panel(archive, grid, catalog, profile)
    tables = record_of(made.tables, live)
    of_record = overlaid_regime(made.regime, live)
    for name, build in DIAGNOSTICS.items():
        if not catalog.tables[name].is_as_of:
            tables[name] = build(of_record, made.readings, catalog)
    for name, look_back in HINDSIGHT.items():
        tables[name] = look_back(archive, grid, tables["regime"], catalog, profile)
    tables["qe_phases"] = build_phases(archive, grid, catalog, profile, tables["regime"]).frame
    return tables
