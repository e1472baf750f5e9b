"""Labels once more from figures of which few changed: what did not change is taken from the first time.

Belongs here: which tables a series reaches the label through, and computing those alone. Does not belong here: making
the other figures (`figures_today.py`), comparing labels (`revised.py`), anything that stands beside the label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.catalog.lineage import columns_read, source_series
from assets.compute import bases
from assets.compute.conditions import Readings
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.reading import Reading
from assets.compute.regime import Labels, build_labels
from assets.compute.tables.assemble import readings_of
from assets.compute.tables.build import BUILDERS

if TYPE_CHECKING:
    from assets.catalog.models import Catalog

LABELS = ("regime", "condition_state", "stance_realised", "bubble_score")  # columns of `regime`


@dataclass(frozen=True)
class Labelled:
    """Readings by "table.column", of every table the labels read, and the labels they give."""

    readings: Readings
    labels: Labels


def labelled(view: View, grid: Grid, catalog: Catalog) -> Labelled:
    """Labels of every grid date from figures as the view sees them."""
    tables = {table for reached in tables_by_series(catalog).values() for table in reached}
    readings = _readings(tables, view, grid)
    return Labelled(readings, build_labels(readings, grid, catalog))


def relabelled(first: Labelled, view: View, tables: Iterable[str], grid: Grid, catalog: Catalog) -> Labels:
    """Labels from a view in which only figures differ that reach the label through `tables`, the rest as at first.

    A rank depends on nothing but its column, and on the bases the column's rows are on: it is kept where none changed.
    """
    again = _readings(tables, view, grid)
    changed = {name for name, reading in again.items() if not _is_same(reading, first.readings[name])}
    if not changed:
        return first.labels
    components = [c for condition in first.labels.conditions.values() for c in condition.components]
    ranks = {
        c.column: c.rank
        for c in components
        if changed.isdisjoint([c.column, *bases.COLUMNS.get(c.column, ())])
    }
    return build_labels({**first.readings, **again}, grid, catalog, ranks)


def tables_by_series(catalog: Catalog) -> Mapping[str, tuple[str, ...]]:
    """Derived tables through which figures of a series reach the label, by series id; the others are in none.

    By declaration (`derived_from`), column by column: a table that reads a series only for columns that describe is
    none of them.
    """
    reached: dict[str, set[str]] = {}
    for column in columns_read(catalog, catalog.tables["regime"], LABELS):
        table = column.split(".")[0]
        if table in BUILDERS:
            for series_id in source_series(catalog, [column]):
                reached.setdefault(series_id, set()).add(table)
    return {series_id: tuple(sorted(tables)) for series_id, tables in reached.items()}


def _readings(tables: Iterable[str], view: View, grid: Grid) -> dict[str, Reading]:
    return readings_of({name: BUILDERS[name](view, grid) for name in tables})


def _is_same(one: Reading, other: Reading) -> bool:
    return np.array_equal(one.value, other.value, equal_nan=True)
