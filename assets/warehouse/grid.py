"""The grid of a run: its dates, and when each of their rows was first published.

Belongs here: joining the calendar with the publication ledger. Does not belong here: the calendar (`compute/grid.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute.grid import NEVER_PUBLISHED, Grid, build_grid
from assets.warehouse.readers import first_published

if TYPE_CHECKING:
    import duckdb

    from assets.catalog.models import Catalog
    from assets.run_facts import RunFacts


def run_grid(con: duckdb.DuckDBPyConnection, facts: RunFacts, catalog: Catalog) -> Grid:
    """Month-ends up to the run date and the run date itself; a published row sees only what was captured by then."""
    published = first_published(con, facts.profile, catalog.method.method_version)
    start, end = (np.datetime64(day, "D") for day in (catalog.method.grid.start, facts.run_date))
    return build_grid(start, end, {np.datetime64(day, "D"): at for day, at in published.items()})


def first_published_column(grid: Grid) -> pd.Series:
    """First publication of every row as a UTC timestamp; NaT for rows this run publishes first."""
    never = grid.known_by == NEVER_PUBLISHED
    stamps = np.where(
        never, np.datetime64("NaT", "us"), np.where(never, 0, grid.known_by).astype("datetime64[us]")
    )
    return pd.Series(stamps)
