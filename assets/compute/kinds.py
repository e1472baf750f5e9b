"""Kinds of rows: provisional, live, backfilled, and which month-ends a run may freeze.

Belongs here: the rules, as functions of dates. Does not belong here: storing frozen rows (`assets/warehouse/live.py`).

A backfilled row is recomputed in every run from everything public on its date, whenever it was captured. A live row was
frozen within days of its date and is stored. A provisional row is recomputed until it becomes one of the two.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from assets.compute.calendar import Days
from assets.compute.grid import Grid
from assets.compute.reading import Texts

if TYPE_CHECKING:
    from assets.catalog.method import RowKinds

PROVISIONAL, LIVE, BACKFILLED = "provisional", "live", "backfilled"


def row_kinds(grid: Grid, rules: RowKinds) -> Texts:
    """Kind of every row of a panel, before live rows replace theirs."""
    age = (grid.as_of[-1] - grid.as_of).astype("int64")
    kinds = np.full(len(grid), BACKFILLED, dtype=object)
    kinds[age <= rules.provisional_days] = PROVISIONAL
    return kinds


def freezable(grid: Grid, today: np.datetime64, frozen: Collection[np.datetime64], rules: RowKinds) -> Days:
    """Month-ends that a run which may freeze rows freezes: no longer provisional, and recent.

    `today` is the date in New York when the run started, by the real clock. A month-end that no run froze within
    `freeze_within_days` stays backfilled for ever.
    """
    run_date = grid.as_of[-1]
    settled = (run_date - grid.as_of).astype("int64") > rules.provisional_days
    recent = (today - grid.as_of).astype("int64") <= rules.freeze_within_days
    new = ~np.isin(grid.as_of, np.array(list(frozen), dtype="datetime64[D]"))
    return grid.as_of[grid.is_month_end & settled & recent & new]
