"""The label as known next to the label with today's figures, and the series whose revision makes the difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.catalog.lineage import columns_read, source_series
from assets.compute import bases
from assets.compute.archive import BITS, EPOCH, Archive, codes_in
from assets.compute.conditions import Readings
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.reading import Floats, Reading, Texts, texts
from assets.compute.regime import Labels, build_labels
from assets.compute.tables.assemble import readings_of
from assets.compute.tables.build import BUILDERS

if TYPE_CHECKING:
    from assets.catalog.models import Catalog, Series

_SAME = 1e-9  # scores nearer than this did not move


def regime_revised(
    held: Archive,
    grid: Grid,
    published: pd.DataFrame,
    catalog: Catalog,
    series: Mapping[str, Series],
) -> pd.DataFrame:
    """Columns of `regime_revised`, from the archive and the published `regime` of the same grid."""
    today = todays_figures(held, grid.as_of[-1])
    known = _Labels.published(published)
    now = _Labels.of(labelled(_view(today, grid, catalog, series), grid, catalog).labels)
    differs = (now.regime != known.regime) | (np.abs(np.nan_to_num(now.score - known.score)) > _SAME)
    differs |= np.isnan(now.score) != np.isnan(known.score)
    cause = _causes(known, now, differs, _each_alone(held, today, grid, catalog, series))
    return pd.DataFrame(
        {
            "as_of_date": grid.as_of.astype("datetime64[s]"),
            "is_month_end": grid.is_month_end,
            "regime": known.regime,
            "regime_revised": now.regime,
            "condition_state": known.condition,
            "condition_revised": now.condition,
            "stance_realised": known.realised,
            "stance_realised_revised": now.realised,
            "bubble_score": known.score,
            "revised_score": now.score,
            "score_revision": now.score - known.score,
            "is_same_regime": (now.regime == known.regime).astype(bool),
            "explained_by": cause.series,
            "explained_score_change": cause.change,
            "is_explained_alone": cause.alone,
        }
    )


@dataclass(frozen=True)
class _Labels:
    regime: Texts
    condition: Texts
    realised: Texts
    score: Floats

    @classmethod
    def of(cls, labels: Labels) -> _Labels:
        return cls(labels.label, labels.states.state, labels.stance.realised, labels.bubble_score)

    @classmethod
    def published(cls, frame: pd.DataFrame) -> _Labels:
        names = ("regime", "condition_state", "stance_realised")
        regime, condition, realised = (frame[name].to_numpy(dtype=object) for name in names)
        return cls(regime, condition, realised, frame["bubble_score"].to_numpy(dtype="float64"))


@dataclass(frozen=True)
class _Causes:
    series: Texts
    change: Floats
    alone: Texts


def _causes(
    known: _Labels, now: _Labels, differs: np.ndarray, each_alone: Iterable[tuple[str, _Labels]]
) -> _Causes:
    """The series that alone gives the revised label, else the one that moves the score the most towards the new one."""
    n = len(differs)
    best = _Causes(np.full(n, None, dtype=object), np.full(n, np.nan), np.full(n, None, dtype=object))
    if not differs.any():
        return best
    towards = np.sign(np.nan_to_num(now.score - known.score))
    rank = np.full(n, -np.inf)
    for series_id, with_one in each_alone:
        change = np.nan_to_num(with_one.score - known.score)
        alone = (with_one.regime == now.regime) & (with_one.regime != known.regime)
        moved = (np.abs(change) > _SAME) | (with_one.regime != known.regime)
        worth = np.where(moved & differs, alone * 10.0 + towards * change, -np.inf)
        better = worth > rank
        rank = np.where(better, worth, rank)
        best = _Causes(
            texts(better, series_id, best.series),
            np.where(better, change, best.change),
            texts(better, alone, best.alone),
        )
    return best


def _each_alone(
    held: Archive, today: Archive, grid: Grid, catalog: Catalog, series: Mapping[str, Series]
) -> Iterator[tuple[str, _Labels]]:
    """Every revised series with the labels its figures of today give when all others stay as known."""
    as_known = _view(held, grid, catalog, series)
    first = labelled(as_known, grid, catalog)
    tables, otherwise = tables_by_series(catalog), set(seen_otherwise(held, grid))
    for series_id in filter(today.has, revised_series(held)):
        labels = first.labels
        if series_id in otherwise and series_id in tables:
            view = replace(as_known, archive=with_series_of(held, today, series_id))
            labels = relabelled(first, view, tables[series_id], grid, catalog)
        yield series_id, _Labels.of(labels)


def _view(archive: Archive, grid: Grid, catalog: Catalog, series: Mapping[str, Series]) -> View:
    return View(archive, grid.as_of, series, catalog.method)


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


_START = (1 << BITS) - 1


def todays_figures(held: Archive, run_date: np.datetime64) -> Archive:
    """One vintage per observation: what stands on the run date. What was withdrawn stays missing."""
    known = (held.key & _START) - EPOCH <= run_date.astype("int64")
    key, observation = held.key[known], held.key[known] >> BITS
    codes = codes_in(key, held.codes)
    if not len(key):
        return Archive(codes, key, held.value[known], held.captured[known], held.source[known])
    changes = observation[1:] != observation[:-1]
    first, last = np.concatenate([[True], changes]), np.concatenate([changes, [True]])
    value, captured, source = held.value[known], held.captured[known], held.source[known]
    return Archive(codes, key[first], value[last], captured[last], source[last])


def with_series_of(held: Archive, other: Archive, series_id: str) -> Archive:
    """`held` with the vintages of one series taken from `other`, which holds the same series."""
    code = held.codes[series_id]
    limits = [code << (2 * BITS), (code + 1) << (2 * BITS)]
    (first, last), (start, end) = np.searchsorted(held.key, limits), np.searchsorted(other.key, limits)

    def spliced(own: npt.NDArray, others: npt.NDArray) -> npt.NDArray:
        return np.concatenate([own[:first], others[start:end], own[last:]])

    return Archive(
        held.codes,
        spliced(held.key, other.key),
        spliced(held.value, other.value),
        spliced(held.captured, other.captured),
        spliced(held.source, other.source),
    )


def seen_otherwise(held: Archive, grid: Grid) -> list[str]:
    """Series of which some grid date sees a figure other than today's.

    Of any other series every grid date sees the same figures in `held` as in `todays_figures`, so that nothing
    computed from them can differ.
    """
    start = (held.key & _START) - EPOCH
    known = start <= grid.as_of[-1].astype("int64")
    key, start, value = held.key[known], start[known], held.value[known]
    observation = key >> BITS
    is_last = np.append(observation[1:] != observation[:-1], True)[: len(key)]
    stands = value[is_last][np.cumsum(is_last) - is_last]
    as_of = grid.as_of.astype("int64")
    # the grid dates that see a vintage are those before its successor's
    first = np.searchsorted(as_of, start)
    until = np.where(is_last, len(grid), np.append(first[1:], len(grid))[: len(key)])
    differs = (value != stands) & ~(np.isnan(value) & np.isnan(stands))
    codes = set(np.unique(key[differs & (first < until)] >> (2 * BITS)).tolist())
    return [series_id for series_id, code in held.codes.items() if code in codes]


def revised_series(held: Archive) -> list[str]:
    """Series of which some observation has had more than one value."""
    same = (held.key[1:] >> BITS) == (held.key[:-1] >> BITS)
    equal = (held.value[1:] == held.value[:-1]) | (np.isnan(held.value[1:]) & np.isnan(held.value[:-1]))
    codes = set(np.unique(held.key[1:][same & ~equal] >> (2 * BITS)).tolist())
    return [series_id for series_id, code in held.codes.items() if code in codes]
