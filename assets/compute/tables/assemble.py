"""From readings to a table's frame and its provenance.

Belongs here: the shape every derived table shares. Does not belong here: any formula.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute.archive import SOURCES
from assets.compute.grid import Grid
from assets.compute.reading import Reading, texts

if TYPE_CHECKING:
    from assets.catalog.models import Table

Columns = dict[str, "Reading | np.ndarray"]


@dataclass(frozen=True)
class DerivedTable:
    """`frame`: the catalogue's columns in its order. `provenance`: one row per reading column and date."""

    frame: pd.DataFrame
    provenance: pd.DataFrame


def assemble(table: Table, grid: Grid, columns: Columns) -> DerivedTable:
    """Frame and provenance of `columns`; raises KeyError when they are not exactly the catalogue's."""
    declared = [c.name for c in table.columns if c.name not in ("as_of_date", "is_month_end")]
    if set(declared) != set(columns):
        raise KeyError(
            f"{table.name}: computed columns differ from the catalogue: {sorted(set(declared) ^ set(columns))}"
        )
    data: dict[str, object] = {
        "as_of_date": grid.as_of.astype("datetime64[s]"),
        "is_month_end": grid.is_month_end,
    }
    for name in declared:
        column = columns[name]
        data[name] = column.value if isinstance(column, Reading) else column
    readings = [(name, reading) for name in declared if isinstance(reading := columns[name], Reading)]
    parts = [provenance_of(table.name, name, grid, reading) for name, reading in readings]
    return DerivedTable(pd.DataFrame(data), pd.concat(parts, ignore_index=True))


def readings_of(columns: Mapping[str, Columns]) -> dict[str, Reading]:
    """The readings among the columns of several tables, by "table.column"."""
    return {
        f"{table}.{name}": column
        for table, of_table in columns.items()
        for name, column in of_table.items()
        if isinstance(column, Reading)
    }


def provenance_of(table: str, column: str, grid: Grid, reading: Reading) -> pd.DataFrame:
    """Rows of `provenance` about one column: one per date of the grid."""
    return pd.DataFrame(
        {
            "table_name": table,
            "column_name": column,
            "as_of_date": grid.as_of.astype("datetime64[s]"),
            "series_ids": reading.series_ids,
            "observation_date": reading.observation_date.astype("datetime64[s]"),
            "available_on": reading.available_on.astype("datetime64[s]"),
            "vintage_source": texts(reading.present, np.array(SOURCES, dtype=object)[reading.source]),
            "is_pseudo": reading.is_pseudo,
            "absent_reason": reading.absent_reason,
        }
    )
