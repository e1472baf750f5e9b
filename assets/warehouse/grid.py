"""The grid of a run, and when each of its rows was first published.

Belongs here: dates from the run's facts, first publications from the ledger. Does not belong here: the calendar
(`compute/grid.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute.grid import Grid, build_grid
from assets.warehouse.readers import first_published

if TYPE_CHECKING:
    import duckdb

    from assets.catalog.models import Catalog, Profile
    from assets.run_facts import RunFacts


def run_grid(facts: RunFacts, catalog: Catalog) -> Grid:
    """Month-ends up to the run date, and the run date itself."""
    start, end = (np.datetime64(day, "D") for day in (catalog.method.grid.start, facts.run_date))
    return build_grid(start, end)


def first_published_column(
    con: duckdb.DuckDBPyConnection, grid: Grid, profile: Profile, catalog: Catalog
) -> pd.Series:
    """First publication of every row of the grid as a UTC timestamp; NaT for rows this run publishes first."""
    known = first_published(con, profile, catalog.method.method_version)
    moments = [np.datetime64(known.get(day, "NaT"), "us") for day in grid.as_of.tolist()]
    return pd.Series(np.array(moments, dtype="datetime64[us]"))
