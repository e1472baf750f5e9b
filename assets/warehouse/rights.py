"""Which cells of computed tables are raw figures of restricted series, and tables without them.

A figure as its owner publishes it is raw in any table. What is computed from it (ranks, scores, changes, ratios) is
not, and is passed on. Which columns repeat which series is the catalogue's `repeats`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.models import Catalog, Profile, Repeat, Series, Table
from assets.catalog.render import literal, quoted

Rows = Mapping[str, str]  # rows that equal these values; empty: every row
Withheld = Mapping[str, tuple[Rows, ...]]  # column: rows of which its figure is withheld


def withheld(table: Table, catalog: Catalog, profile: Profile) -> Withheld:
    """Cells of a table with figures of restricted series: those of the profile, and those a row names itself."""
    restricted = [s for s in catalog.series.values() if s.rights == "restricted"]
    found = {
        column.name: tuple(rows for repeat in column.repeats for rows in _rows(repeat, restricted, profile))
        for column in table.columns
    }
    return {name: rows for name, rows in found.items() if rows}


def _rows(repeat: Repeat, restricted: Sequence[Series], profile: Profile) -> Iterator[Rows]:
    if repeat.named_by is not None:
        yield from ({repeat.named_by: series.series_id} for series in restricted)
    elif any(series.series_id in repeat.series and profile in series.profiles for series in restricted):
        yield repeat.where


def selected(table: Table, cells: Withheld) -> str:
    """The columns of a table for SELECT, with NULL in the withheld cells, NaN and infinity."""
    shown = {name: " AND NOT (" + " OR ".join(map(_condition, rows)) + ")" for name, rows in cells.items()}
    columns = []
    for column in table.columns:
        name = quoted(column.name)
        if column.type == "DOUBLE":
            is_shown = f"isfinite({name}::DOUBLE){shown.get(column.name, '')}"
            columns.append(f"CASE WHEN {is_shown} THEN {name} END AS {name}")
        else:
            columns.append(name)
    return ", ".join(columns)


def _condition(rows: Rows) -> str:
    equal = [f"{quoted(name)} IS NOT DISTINCT FROM {literal(value)}" for name, value in rows.items()]
    return " AND ".join(equal) or "true"


def passed_on(frame: pd.DataFrame, cells: Withheld) -> pd.DataFrame:
    """The frame as it may be shown: NaN in the withheld cells."""
    return frame.assign(
        **{name: frame[name].mask(_matches(frame, rows)) for name, rows in cells.items() if name in frame}
    )


def whole(frame: pd.DataFrame, held: pd.DataFrame, key: Sequence[str], cells: Withheld) -> pd.DataFrame:
    """The frame with the figures of `held`, by key, in withheld cells that are empty."""
    by_key = held.drop_duplicates([*key]).set_index([*key])[[*cells]]
    known = by_key.reindex(frame.set_index([*key]).index).set_axis(frame.index)
    return frame.assign(
        **{
            name: frame[name].mask(_matches(frame, rows) & frame[name].isna(), known[name])
            for name, rows in cells.items()
        }
    )


def disclosed(frame: pd.DataFrame, cells: Withheld) -> dict[str, int]:
    """By column, how many of its withheld cells have a figure."""
    return {name: int((_matches(frame, rows) & frame[name].notna()).sum()) for name, rows in cells.items()}


def _matches(frame: pd.DataFrame, rows: Sequence[Rows]) -> npt.NDArray[np.bool_]:
    """Which rows of the frame are among those described."""
    found = np.zeros(len(frame), dtype=bool)
    for described in rows:
        matching = np.ones(len(frame), dtype=bool)
        for name, value in described.items():
            matching &= (frame[name] == value).fillna(False).to_numpy(dtype=bool)
        found |= matching
    return found
