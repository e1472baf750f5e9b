"""Tables with several rows per as-of date: each row says itself where its figure came from.

Belongs here: the shape such tables share. Does not belong here: what their rows are (one module per table).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute.archive import SOURCES
from assets.compute.grid import Grid
from assets.compute.reading import Reading, texts

if TYPE_CHECKING:
    from assets.catalog.models import Table


def rows_of(grid: Grid, reading: Reading, columns: Mapping[str, object]) -> pd.DataFrame:
    """One row per grid date: `columns` (one value, or one per date) and the provenance of `reading`."""
    return pd.DataFrame(
        {
            "as_of_date": grid.as_of.astype("datetime64[s]"),
            "is_month_end": grid.is_month_end,
            **columns,
            "series_ids": reading.series_ids,
            "observation_date": reading.observation_date.astype("datetime64[s]"),
            "available_on": reading.available_on.astype("datetime64[s]"),
            "vintage_source": texts(reading.present, np.array(SOURCES, dtype=object)[reading.source]),
            "is_pseudo": reading.is_pseudo,
            "absent_reason": reading.absent_reason,
        }
    )


def stacked(table: Table, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all parts in the catalogue's columns, by date; KeyError when a column is not the catalogue's."""
    for part in parts:
        if odd := set(map(str, part)) ^ set(table.column_names):
            raise KeyError(f"{table.name}: computed columns differ from the catalogue: {sorted(odd)}")
    frame = pd.concat([part[list(table.column_names)] for part in parts], ignore_index=True)
    return frame.sort_values("as_of_date", kind="stable", ignore_index=True)
