"""The dates every as-of table has a row for: month-ends, and the run date.

Belongs here: the grid. Does not belong here: what is known on its dates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.compute.calendar import Days, month_end, month_ends


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
