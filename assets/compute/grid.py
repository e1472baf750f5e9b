"""The dates every as-of table has a row for: month-ends, and the run date.

Belongs here: the grid. Does not belong here: what is known on its dates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.compute.calendar import Days, month_end, month_ends

NEVER_PUBLISHED = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Grid:
    """`as_of` ascending; the last one is the run date. `known_by`: microseconds UTC of a row's first publication."""

    as_of: Days
    known_by: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.as_of)

    @property
    def is_month_end(self) -> npt.NDArray[np.bool_]:
        """True for every row but a run date inside a month."""
        return self.as_of == month_end(self.as_of)


def build_grid(
    start: np.datetime64, run_date: np.datetime64, first_published: Mapping[np.datetime64, int]
) -> Grid:
    """Month-ends from `start` to `run_date`, plus `run_date` itself when it is none.

    `first_published` gives when (microseconds UTC) a row was published: it sees only what was captured by then.
    """
    as_of = month_ends(start, run_date)
    if not len(as_of) or as_of[-1] != run_date:
        as_of = np.append(as_of, run_date)
    known_by = np.array([first_published.get(day, NEVER_PUBLISHED) for day in as_of], dtype="int64")
    return Grid(as_of, known_by)
