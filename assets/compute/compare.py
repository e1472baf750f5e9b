"""Whether two tables say the same, exactly: nothing is equal within a tolerance.

Belongs here: comparing rows by key. Does not belong here: what follows from a difference.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from assets.catalog.models import Table

ADDED_BY_PUBLICATION = ("first_published_at", "profile")
# The ledger of announcements is checked again and again; what that says of older rows may change without them.
# A row becomes live, or ceases to be provisional, without saying anything else.
MAY_CHANGE = ("is_stance_provisional", "row_kind")


@dataclass(frozen=True)
class Compared:
    """Cells of a table on two sides, rows by key: `differs` has the shape of (rows, columns)."""

    before: pd.DataFrame
    after: pd.DataFrame
    differs: np.ndarray

    @classmethod
    def of(
        cls, table: Table, before: pd.DataFrame, after: pd.DataFrame, dates: Collection[pd.Timestamp]
    ) -> Compared:
        """The rows of `dates` in the columns both have; a row that one side lacks is empty there."""
        names = [
            name
            for name in table.column_names
            if name not in (*ADDED_BY_PUBLICATION, *MAY_CHANGE, *table.key)
            and name in before
            and name in after
        ]
        sides = [_by_key(table, frame, names, dates) for frame in (before, after)]
        every = sides[0].index.union(sides[1].index)
        then, now = (side.reindex(every) for side in sides)
        differs = [unequal(then[name], now[name]) for name in then.columns]
        return cls(then, now, np.column_stack(differs) if len(every) else np.zeros((0, len(differs)), bool))

    def on(self, cells: Compared) -> np.ndarray:
        """Which cells differ here, on the rows and columns of another comparison; none it does not have."""
        here = pd.DataFrame(self.differs, index=self.after.index, columns=self.after.columns)
        there = here.reindex(index=cells.after.index, columns=cells.after.columns, fill_value=False)
        return there.to_numpy(dtype=bool)


def _by_key(
    table: Table, frame: pd.DataFrame, names: list[str], dates: Collection[pd.Timestamp]
) -> pd.DataFrame:
    rows = frame[frame["as_of_date"].isin(list(dates))]
    return rows.set_index(list(table.key))[names].sort_index()


def unequal(a: pd.Series, b: pd.Series) -> np.ndarray:
    """Where two columns of equal length differ, exactly; two absent values are equal, and infinity is absent."""
    if pd.api.types.is_float_dtype(a) or pd.api.types.is_float_dtype(b):
        x, y = (s.to_numpy(dtype="float64", na_value=np.nan) for s in (a, b))
        x, y = (np.where(np.isfinite(v), v, np.nan) for v in (x, y))
        return np.asarray(~((x == y) | (np.isnan(x) & np.isnan(y))))
    if pd.api.types.is_datetime64_dtype(a) and pd.api.types.is_datetime64_dtype(b):
        days, others = a.to_numpy(), b.to_numpy()
        return np.asarray((days != others) & ~(np.isnat(days) & np.isnat(others)))
    left, right = (s.to_numpy(dtype=object, na_value="") for s in (a, b))
    return np.asarray(left != right, dtype=bool)
