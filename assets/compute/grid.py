"""The dates every as-of table has a row for, and which kind of row each one gets.

A provisional row is recomputed until it becomes one of the two others. A live row was frozen within days of its date
and is stored. A backfilled row is recomputed in every run from everything public on its date, whenever it was captured.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.catalog.method import RowKinds
from assets.compute.calendar import Days, month_end, month_ends
from assets.compute.reading import Texts

PROVISIONAL, LIVE, BACKFILLED = "provisional", "live", "backfilled"


@dataclass(frozen=True)
class Grid:
    """`as_of` ascending; the last one is the run date."""

    as_of: Days

    def __len__(self) -> int:
        return len(self.as_of)

    @property
    def is_month_end(self) -> npt.NDArray[np.bool_]:
        """True for every row but a run date inside a month."""
        return self.as_of == month_end(self.as_of)


def build_grid(start: np.datetime64, run_date: np.datetime64) -> Grid:
    """Month-ends from `start` to `run_date`, plus `run_date` itself when it is none."""
    as_of = month_ends(start, run_date)
    if not len(as_of) or as_of[-1] != run_date:
        as_of = np.append(as_of, run_date)
    return Grid(as_of)


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
    settled = row_kinds(grid, rules) == BACKFILLED
    recent = (today - grid.as_of).astype("int64") <= rules.freeze_within_days
    new = ~np.isin(grid.as_of, np.array(list(frozen), dtype="datetime64[D]"))
    return grid.as_of[grid.is_month_end & settled & recent & new]
