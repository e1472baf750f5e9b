"""Revised figures, and `regime_revised` the plain way: a complete computation for every revised series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, Profile
from assets.compute.archive import Archive, as_revised, cut, revised_series, with_series_of
from assets.compute.grid import Grid
from assets.compute.reading import texts
from assets.compute.registry import Computation
from tests.helpers import sample_vintages

REVISED_ON = "2011-06-01"
_SAME = 1e-9


def with_revisions(
    changes: Mapping[str, float], first: str = "2008-06-01", last: str = "2010-12-01", on: str = REVISED_ON
) -> pd.DataFrame:
    """The sample, with the figures of some series and of a span raised by so much on a day."""
    stored = sample_vintages()
    revised = []
    for series_id, change in changes.items():
        rows = stored[
            (stored["series_id"] == series_id) & stored["observation_date"].between(first, last)
        ].copy()
        rows["realtime_start"] = np.datetime64(on, "s")
        rows["value"] += change
        revised.append(rows.astype(stored.dtypes))
    return pd.concat([stored, *revised], ignore_index=True)


def plain_regime_revised(
    stored: Archive, grid: Grid, published: pd.DataFrame, catalog: Catalog, profile: Profile
) -> pd.DataFrame:
    """Columns of `regime_revised`, nothing left out: every revised series has a run of its own."""
    today = as_revised(cut(stored, grid.as_of[-1]))
    now = Computation(today, grid, catalog, profile).table("regime")
    score, known_score = now["bubble_score"].to_numpy(), published["bubble_score"].to_numpy()
    label, known_label = _text(now, "regime"), _text(published, "regime")
    differs = (label != known_label) | (np.abs(np.nan_to_num(score - known_score)) > _SAME)
    differs |= np.isnan(score) != np.isnan(known_score)
    n = len(grid)
    name, alone_name = np.full(n, None, dtype=object), np.full(n, None, dtype=object)
    best_change, rank = np.full(n, np.nan), np.full(n, -np.inf)
    towards = np.sign(np.nan_to_num(score - known_score))
    for series_id in filter(today.has, revised_series(stored)):
        one = Computation(with_series_of(stored, today, series_id), grid, catalog, profile).table("regime")
        one_label, change = _text(one, "regime"), np.nan_to_num(one["bubble_score"].to_numpy() - known_score)
        alone = (one_label == label) & (one_label != known_label)
        moved = (np.abs(change) > _SAME) | (one_label != known_label)
        worth = np.where(moved & differs, alone * 10.0 + towards * change, -np.inf)
        better = worth > rank
        rank, best_change = np.where(better, worth, rank), np.where(better, change, best_change)
        name, alone_name = texts(better, series_id, name), texts(better, alone, alone_name)
    return pd.DataFrame(
        {
            "as_of_date": grid.as_of.astype("datetime64[s]"),
            "is_month_end": grid.is_month_end,
            "regime": known_label,
            "regime_revised": label,
            "condition_state": _text(published, "condition_state"),
            "condition_revised": _text(now, "condition_state"),
            "stance_realised": _text(published, "stance_realised"),
            "stance_realised_revised": _text(now, "stance_realised"),
            "bubble_score": known_score,
            "revised_score": score,
            "score_revision": score - known_score,
            "is_same_regime": (label == known_label).astype(bool),
            "explained_by": name,
            "explained_score_change": best_change,
            "is_explained_alone": alone_name,
        }
    )


def _text(frame: pd.DataFrame, column: str) -> np.ndarray[Any, np.dtype[np.object_]]:
    return frame[column].to_numpy(dtype=object)
