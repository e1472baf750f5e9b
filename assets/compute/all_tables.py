"""Every computed table of a release in memory, by name, from an archive and a grid.

Belongs here: the list of all of them, for whoever proves a release. Does not belong here: formulas, storage, what is
declared rather than computed (ledgers, dictionary) or about a run (checks, manifest). The nightly assets make the same
tables one by one, through the warehouse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from assets.compute.archive import Archive
from assets.compute.argument.hindsight import HINDSIGHT
from assets.compute.argument.tables import ARGUMENT
from assets.compute.computation import compute
from assets.compute.evidence import evidence_frame
from assets.compute.grid import Grid
from assets.compute.phases_frame import build_phases
from assets.compute.tables.build import BUILDERS, LONG_BUILDERS, build_long_table, build_table

if TYPE_CHECKING:
    from assets.catalog.models import Catalog, Profile


def all_tables(archive: Archive, grid: Grid, catalog: Catalog, profile: Profile) -> dict[str, pd.DataFrame]:
    """Regime, evidence, derived tables, and what argues with the label and looks back at it."""
    done = compute(archive, grid, catalog, {s.series_id: s for s in catalog.in_profile(profile)})
    tables = {"regime": done.frame, "regime_evidence": evidence_frame(done.regime, catalog), **done.tables}
    for name in (name for name in BUILDERS if name not in tables):
        tables[name] = build_table(name, archive, grid, catalog, profile).frame
    for name in LONG_BUILDERS:
        tables[name] = build_long_table(name, archive, grid, catalog, profile)
    for name, build in ARGUMENT.items():
        tables[name] = build(done.regime, done.readings, catalog)
    for name, look_back in HINDSIGHT.items():
        tables[name] = look_back(archive, grid, done.frame, catalog, profile)
    tables["qe_phases"] = build_phases(archive, grid, catalog, profile, done.frame).frame
    return tables
