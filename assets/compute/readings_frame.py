"""Readings back from stored tables: the regime is computed from what the derived tables hold, not from the archive.

Belongs here: frames and provenance into readings. Does not belong here: storage, formulas.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from assets.compute.archive import SOURCES
from assets.compute.calendar import days
from assets.compute.grid import Grid
from assets.compute.reading import Reading, texts

_CODES = {name: code for code, name in enumerate(SOURCES)}


def readings_from(
    frames: Mapping[str, pd.DataFrame], provenance: pd.DataFrame, grid: Grid
) -> dict[str, Reading]:
    """Reading of every column that has provenance, by "table.column".

    Raises ValueError when a table's dates are not the grid's: it was computed for another run.
    """
    readings: dict[str, Reading] = {}
    for name, frame in frames.items():
        if not np.array_equal(days(frame["as_of_date"].to_numpy()), grid.as_of):
            raise ValueError(f"derived.{name} was computed for another run date: materialise it again")
    for names, rows in provenance.groupby(["table_name", "column_name"], sort=False):
        table, column = map(str, names)
        if table not in frames:
            continue
        rows = rows.sort_values("as_of_date")
        readings[f"{table}.{column}"] = Reading(
            frames[table][column].to_numpy(dtype="float64"),
            days(rows["observation_date"].to_numpy()),
            days(rows["available_on"].to_numpy()),
            rows["vintage_source"].map(_CODES).fillna(0).to_numpy().astype(np.int8),
            rows["is_pseudo"].to_numpy(dtype=bool),
            rows["series_ids"].to_numpy(dtype=object),
            texts(rows["absent_reason"].notna().to_numpy(), rows["absent_reason"].to_numpy(dtype=object)),
        )
    return readings
