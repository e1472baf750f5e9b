"""Between readings and tables: frames with their provenance from readings, and readings back from stored frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from assets.catalog.models import Table
from assets.compute.archive import SOURCES
from assets.compute.calendar import days
from assets.compute.grid import Grid
from assets.compute.reading import Reading, texts

Columns = dict[str, "Reading | np.ndarray"]
_CODES = {name: code for code, name in enumerate(SOURCES)}


@dataclass(frozen=True)
class DerivedTable:
    """`frame`: the catalogue's columns in its order. `provenance`: one row per reading and date, if kept apart."""

    frame: pd.DataFrame
    provenance: pd.DataFrame | None = None


def as_declared(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The declared columns in their order, with days as dates; a nullable one that is left out has no value.

    Raises KeyError for a column that is not declared.
    """
    if strange := sorted(set(map(str, frame)).difference(table.column_names)):
        raise KeyError(f"{table.name}: not columns of the catalogue: {strange}")
    held = [column for column in table.columns if column.nullable or column.name in frame or frame.empty]
    dates = {column.name: "datetime64[s]" for column in held if column.type == "DATE"}
    return frame.reindex(columns=[column.name for column in held]).astype(dates)


def assemble(table: Table, grid: Grid, columns: Columns) -> DerivedTable:
    """One row per grid date, with provenance."""
    values = {name: of.value if isinstance(of, Reading) else of for name, of in columns.items()}
    parts = [
        provenance_of(table.name, name, grid, of) for name, of in columns.items() if isinstance(of, Reading)
    ]
    return DerivedTable(pd.DataFrame({**_dates(grid), **values}), pd.concat(parts, ignore_index=True))


def rows_of(grid: Grid, reading: Reading, columns: Mapping[str, object]) -> pd.DataFrame:
    """One row per grid date: `columns` (one value, or one per date) and the provenance of `reading`."""
    return pd.DataFrame({**_dates(grid), **columns, **origin_of(reading)})


def stacked(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all parts, by date."""
    return pd.concat(parts).sort_values("as_of_date", kind="stable", ignore_index=True)


def provenance_of(table: str, column: str, grid: Grid, reading: Reading) -> pd.DataFrame:
    """Rows of `provenance` about one column: one per date of the grid."""
    as_of = grid.as_of.astype("datetime64[s]")
    return pd.DataFrame(
        {"table_name": table, "column_name": column, "as_of_date": as_of, **origin_of(reading)}
    )


def readings_of(columns: Mapping[str, Columns]) -> dict[str, Reading]:
    """The readings among the columns of several tables, by "table.column"."""
    return {
        f"{table}.{name}": column
        for table, of_table in columns.items()
        for name, column in of_table.items()
        if isinstance(column, Reading)
    }


def readings_from(
    frames: Mapping[str, pd.DataFrame], provenance: pd.DataFrame, grid: Grid
) -> dict[str, Reading]:
    """The same from stored tables and their provenance.

    Raises ValueError when a table's dates are not the grid's: it was computed for another run.
    """
    for name, frame in frames.items():
        if not np.array_equal(days(frame["as_of_date"].to_numpy()), grid.as_of):
            raise ValueError(f"derived.{name} was computed for another run date: materialise it again")
    rows = provenance[provenance["table_name"].isin(list(frames))]
    of_column = rows.groupby(["table_name", "column_name"], sort=False).ngroup()
    rows = rows.assign(of_column=of_column).sort_values(["of_column", "as_of_date"])
    whole = Reading(
        np.full(len(rows), np.nan),
        days(rows["observation_date"].to_numpy()),
        days(rows["available_on"].to_numpy()),
        rows["vintage_source"].map(_CODES).fillna(0).to_numpy().astype(np.int8),
        rows["is_pseudo"].to_numpy(dtype=bool),
        rows["series_ids"].to_numpy(dtype=object),
        texts(rows["absent_reason"].notna().to_numpy(), rows["absent_reason"].to_numpy(dtype=object)),
    )
    tables, columns = rows["table_name"].to_numpy(), rows["column_name"].to_numpy()
    readings: dict[str, Reading] = {}
    for first in range(0, len(rows), len(grid)):  # each column has a row for every date
        table, column, of_dates = tables[first], columns[first], slice(first, first + len(grid))
        value = frames[table][column].to_numpy(dtype="float64")
        readings[f"{table}.{column}"] = replace(whole.rows(of_dates), value=value)
    return readings


def _dates(grid: Grid) -> dict[str, np.ndarray]:
    return {"as_of_date": grid.as_of.astype("datetime64[s]"), "is_month_end": grid.is_month_end}


def origin_of(reading: Reading) -> dict[str, np.ndarray]:
    """Where the value of each date came from, as columns."""
    return {
        "series_ids": reading.series_ids,
        "observation_date": reading.observation_date.astype("datetime64[s]"),
        "available_on": reading.available_on.astype("datetime64[s]"),
        "vintage_source": texts(reading.present, np.array(SOURCES, dtype=object)[reading.source]),
        "is_pseudo": reading.is_pseudo,
        "absent_reason": reading.absent_reason,
    }
