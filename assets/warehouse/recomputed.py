"""Panels computed again from the warehouse's archive, whole or as it was at a moment.

Belongs here: what a panel is computed from, and filling columns declared since on live rows. Does not belong here:
formulas (`assets/compute`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from assets.compute.all_tables import Panel, panel
from assets.compute.archive import Captures, captured_by, resolve
from assets.compute.grid import Grid, build_grid
from assets.warehouse.live import LiveRow, fill, live_rows, unfilled
from assets.warehouse.readers import load_captures

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from assets.catalog.models import Catalog, Profile


def grid_until(run_date: dt.date, catalog: Catalog) -> Grid:
    """Month-ends up to a run date, and the run date itself."""
    start, end = (np.datetime64(day, "D") for day in (catalog.method.grid.start, run_date))
    return build_grid(start, end)


def panel_at(
    captures: Captures, moment: dt.datetime | None, run_date: dt.date, catalog: Catalog, profile: Profile
) -> Panel:
    """The panel of a run date from what had been captured by a moment (UTC without an offset; None: all)."""
    held = captures if moment is None else captured_by(captures, microseconds(moment))
    return panel(resolve(held), grid_until(run_date, catalog), catalog, profile)


def panel_of(captures: Captures, row: LiveRow, catalog: Catalog, profile: Profile) -> Panel:
    """The panel a live row was frozen from."""
    return panel_at(captures, row.captured_until, row.run_date, catalog, profile)


def microseconds(moment: dt.datetime) -> int:
    """A moment in UTC without an offset, as archives count it."""
    return int(np.datetime64(moment, "us").astype("int64"))


def complete_live_rows(
    con: duckdb.DuckDBPyConnection, profile: Profile, run_date: dt.date, catalog: Catalog
) -> None:
    """Fill columns declared since a live row was frozen, from what had been captured when it was."""
    live = live_rows(con, profile, catalog.method.method_version, run_date)
    if not unfilled(con, catalog, live):
        return
    captures = load_captures(con, list(catalog.series))

    def recompute(row: LiveRow) -> tuple[Mapping[str, pd.DataFrame], pd.DataFrame]:
        made = panel_of(captures, row, catalog, profile)
        return made.tables, made.provenance

    fill(con, catalog, live, recompute)
