"""The label as known beside the label with today's figures, and the series whose revision makes the difference.

Belongs here: the second run and its comparison. Does not belong here: the first run, which this never replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.compute.archive import Archive
from assets.compute.argument.figures_today import (
    revised_series,
    seen_otherwise,
    todays_figures,
    with_series_of,
)
from assets.compute.argument.relabelled import labelled, relabelled, tables_by_series
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.reading import Floats, Texts, texts
from assets.compute.regime import Labels

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
