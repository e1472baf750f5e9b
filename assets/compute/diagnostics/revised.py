"""The label as known next to the label with today's figures, and the series whose revision makes the difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.catalog.lineage import columns_read, source_series
from assets.compute import bases
from assets.compute.archive import Archive, as_revised, cut, revised_series, seen_otherwise, with_series_of
from assets.compute.conditions import Readings
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.reading import Floats, Reading, Texts, texts
from assets.compute.regime import Labels, build_labels
from assets.compute.tables.assemble import readings_of
from assets.compute.tables.build import BUILDERS

if TYPE_CHECKING:
    from assets.catalog.models import Catalog

LABELS = ("regime", "condition_state", "stance_realised", "bubble_score")  # columns of `regime`
_SAME = 1e-9  # a smaller difference of scores is none


@dataclass(frozen=True)
class _Label:
    """The columns of LABELS, one value per grid date."""

    regime: Texts
    state: Texts
    realised: Texts
    score: Floats

    @classmethod
    def of(cls, labels: Labels) -> _Label:
        return cls(labels.label, labels.states.state, labels.stance.realised, labels.bubble_score)

    @classmethod
    def published(cls, frame: pd.DataFrame) -> _Label:
        regime, state, realised = (frame[name].to_numpy(dtype=object) for name in LABELS[:3])
        return cls(regime, state, realised, frame["bubble_score"].to_numpy(dtype="float64"))


def regime_revised(as_known: View, grid: Grid, published: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Columns of `regime_revised`, from what was known on a grid and the published `regime` of it."""
    today = as_revised(cut(as_known.archive, grid.as_of[-1]))
    known = _Label.published(published)
    now = _Label.of(labelled(replace(as_known, archive=today), grid, catalog).labels)
    differs = (now.regime != known.regime) | (np.abs(np.nan_to_num(now.score - known.score)) > _SAME)
    differs |= np.isnan(now.score) != np.isnan(known.score)
    return pd.DataFrame(
        {
            "as_of_date": grid.as_of.astype("datetime64[s]"),
            "is_month_end": grid.is_month_end,
            "regime": known.regime,
            "regime_revised": now.regime,
            "condition_state": known.state,
            "condition_revised": now.state,
            "stance_realised": known.realised,
            "stance_realised_revised": now.realised,
            "bubble_score": known.score,
            "revised_score": now.score,
            "score_revision": now.score - known.score,
            "is_same_regime": (now.regime == known.regime).astype(bool),
            **_causes(known, now, differs, _each_alone(as_known, today, grid, catalog)),
        }
    )


def _causes(
    known: _Label, now: _Label, differs: np.ndarray, each_alone: Iterable[tuple[str, _Label]]
) -> dict[str, np.ndarray]:
    """The series that alone gives the revised label, else the one that moves the score the most towards the new one."""
    n = len(differs)
    cause, is_alone = np.full(n, None, dtype=object), np.full(n, None, dtype=object)
    explained, best = np.full(n, np.nan), np.full(n, -np.inf)
    towards = np.sign(np.nan_to_num(now.score - known.score))
    for series_id, with_one in each_alone if differs.any() else ():
        change = np.nan_to_num(with_one.score - known.score)
        alone = (with_one.regime == now.regime) & (with_one.regime != known.regime)
        moved = (np.abs(change) > _SAME) | (with_one.regime != known.regime)
        worth = np.where(moved & differs, alone * 10.0 + towards * change, -np.inf)
        better = worth > best
        best, explained = np.where(better, worth, best), np.where(better, change, explained)
        cause, is_alone = texts(better, series_id, cause), texts(better, alone, is_alone)
    return {"explained_by": cause, "explained_score_change": explained, "is_explained_alone": is_alone}


def _each_alone(as_known: View, today: Archive, grid: Grid, catalog: Catalog) -> Iterator[tuple[str, _Label]]:
    """Every revised series with the labels its figures of today give when all others stay as known."""
    first, tables = labelled(as_known, grid, catalog), tables_by_series(catalog)
    otherwise = set(seen_otherwise(as_known.archive, grid.as_of))
    for series_id in filter(today.has, revised_series(as_known.archive)):
        labels = first.labels
        if series_id in otherwise and series_id in tables:
            view = replace(as_known, archive=with_series_of(as_known.archive, today, series_id))
            labels = relabelled(first, view, tables[series_id], grid, catalog)
        yield series_id, _Label.of(labels)


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
    """Labels from a view whose figures reach the label through `tables` alone; everything else is taken from `first`.

    A rank depends only on its column and on the bases of the column's rows: it is kept where none of them changed.
    """
    again = _readings(tables, view, grid)
    changed = {
        name
        for name, reading in again.items()
        if not np.array_equal(reading.value, first.readings[name].value, equal_nan=True)
    }
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
    """By series id, the derived tables through which its figures reach the label, as `derived_from` declares."""
    reached: dict[str, set[str]] = {}
    for column in columns_read(catalog, catalog.tables["regime"], LABELS):
        table = column.split(".")[0]
        for series_id in source_series(catalog, [column]) if table in BUILDERS else ():
            reached.setdefault(series_id, set()).add(table)
    return {series_id: tuple(sorted(tables)) for series_id, tables in reached.items()}


def _readings(tables: Iterable[str], view: View, grid: Grid) -> dict[str, Reading]:
    return readings_of({name: BUILDERS[name](view, grid) for name in tables})
