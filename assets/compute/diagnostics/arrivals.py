"""`release_log`: what came in between two releases, and what each figure did to the score and the label.

The figures are put in one after the other: the effect of a line is the score after it less the score before it, so that
the lines add up to the change of the score exactly. In another order single effects would differ, their sum would not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from assets.compute.archive import SOURCES, Archive, Captures, captured_by, cut, dates_of, of_series, resolve
from assets.compute.calendar import NAT
from assets.compute.conditions import Readings
from assets.compute.diagnostics.revised import readings_of_labels, relabelled, tables_by_series
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.regime import Regime, build_regime
from assets.compute.tables.build import build_view

if TYPE_CHECKING:
    from assets.catalog.models import Catalog, Profile

SINGLE = 12  # newest figures of a series with a line each; older ones share a line


@dataclass(frozen=True)
class Newest:
    """The newest row of a release: its date, label and score (NaN without one)."""

    as_of: np.datetime64
    regime: str
    bubble_score: float


@dataclass(frozen=True)
class _Arrival:
    """One line: the rows of a series after it, and the figure that came, None for several or for a withdrawal."""

    rows: Archive
    figures: int
    at: int | None = None  # position of the figure among the rows of the new archive
    before: float = np.nan


def release_log(
    captures: Captures,
    moment: int,
    before: Newest,
    grids: tuple[Grid, Grid],
    catalog: Catalog,
    profile: Profile,
) -> pd.DataFrame:
    """Columns of `release_log` but the release's. `moment`: what had been captured by the release before.

    `grids`: those of the release before and of this one, which has the figures of all captures.
    """
    old, new = resolve(captured_by(captures, moment)), resolve(captures)
    tables = tables_by_series(catalog)
    rows: list[dict[str, Any]] = []
    state = _State.of(build_view(old, grids[0], catalog, profile), grids[0], catalog)
    rows.append(_line("method", before.regime, before.bubble_score, state))
    after = _State.of(build_view(old, grids[1], catalog, profile), grids[1], catalog)
    rows.append(_line("date", state.label, state.score, after))
    day, state = grids[1].as_of[-1], after
    old, new = cut(old, day), cut(new, day)
    for series_id in _by_arrival(captures, old, new, moment):
        entry = catalog.series[series_id]
        for arrival in _arrivals(of_series(old, series_id), of_series(new, series_id)):
            label, score = state.label, state.score
            if series_id in tables and series_id in state.view.series:
                state = state.with_rows(series_id, arrival.rows, tables[series_id], catalog)
            line = _line("figure" if arrival.at is not None else "figures", label, score, state)
            line |= {"series_id": series_id, "figures": arrival.figures}
            if arrival.at is not None:
                line |= _figure(of_series(new, series_id), arrival, is_shown=entry.rights != "restricted")
            rows.append(line)
    frame = pd.DataFrame(rows).reindex(columns=[*_NAMES])
    for name in ("observation_date", "realtime_start"):
        frame[name] = frame[name].to_numpy(dtype="datetime64[D]").astype("datetime64[s]")
    changes = (frame["score_effect"] != 0) | (frame["regime_before"] != frame["regime_after"])
    return frame[changes | frame["kind"].str.startswith("figure")].reset_index(drop=True)


_NAMES = (
    "kind", "series_id", "observation_date", "realtime_start", "vintage_source", "figures", "previous_value",
    "new_value", "score_before", "score_after", "score_effect", "regime_before", "regime_after",
)  # fmt: skip


@dataclass(frozen=True)
class _State:
    """Everything put in so far: the archive, what is computed from it, and the label of the run date."""

    view: View
    readings: Readings
    regime: Regime

    @classmethod
    def of(cls, view: View, grid: Grid, catalog: Catalog) -> _State:
        """Computed from the beginning."""
        readings = readings_of_labels(view, grid, catalog)
        return cls(view, readings, build_regime(readings, grid, catalog))

    @property
    def label(self) -> str:
        return str(self.regime.label[-1])

    @property
    def score(self) -> float:
        return float(self.regime.bubble_score[-1])

    def with_rows(self, series_id: str, rows: Archive, tables: tuple[str, ...], catalog: Catalog) -> _State:
        """The same with other rows of one series."""
        view = replace(self.view, archive=self.view.archive.with_rows_of(series_id, rows))
        return _State(view, *relabelled(view, catalog, self.readings, self.regime, tables))


def _line(kind: str, label: str, score: float, after: _State) -> dict[str, Any]:
    return {
        "kind": kind,
        "observation_date": NAT,
        "realtime_start": NAT,
        "figures": 0,
        "score_before": score,
        "score_after": after.score,
        "score_effect": after.score - score,
        "regime_before": label,
        "regime_after": after.label,
    }


def _figure(new: Archive, arrival: _Arrival, *, is_shown: bool) -> dict[str, Any]:
    """The figure of a line; no value of a series with restricted rights."""
    observation, start = dates_of(new)
    at = arrival.at
    return {
        "observation_date": observation[at],
        "realtime_start": start[at],
        "vintage_source": SOURCES[new.source[at]],
        "previous_value": arrival.before if is_shown else np.nan,
        "new_value": new.value[at] if is_shown else np.nan,
    }


def _by_arrival(captures: Captures, old: Archive, new: Archive, moment: int) -> list[str]:
    """Series whose rows differ, in the order in which their last news was captured."""
    since = captures.take(captures.captured > moment)
    found = {}
    for series_id in {*old.codes, *new.codes}:
        one, other = of_series(old, series_id), of_series(new, series_id)
        if not (
            np.array_equal(one.key, other.key) and np.array_equal(one.value, other.value, equal_nan=True)
        ):
            found[series_id] = int(since.captured[since.of_series(series_id)].max(initial=0))
    return sorted(found, key=lambda series_id: (found[series_id], series_id))


def _arrivals(old: Archive, new: Archive) -> Iterator[_Arrival]:
    """Every step from the old rows of a series to the new ones: what is older or withdrawn first, as one step."""
    at = np.searchsorted(old.key, new.key)
    inside = np.minimum(at, max(len(old.key) - 1, 0))
    is_kept = (old.key[inside] == new.key) if len(old.key) else np.zeros(len(new.key), dtype=bool)
    was = np.where(is_kept, old.value[inside], np.nan) if len(old.key) else np.full(len(new.key), np.nan)
    is_same = is_kept & ((was == new.value) | (np.isnan(was) & np.isnan(new.value)))
    came = np.flatnonzero(~is_same)
    single = came[-SINGLE:]
    pending = np.zeros(len(new.key), dtype=bool)
    pending[single] = True
    others, withdrawn = len(came) - len(single), len(old.key) - int(is_kept.sum())
    if others or withdrawn:
        yield _Arrival(_partly(new, was, is_kept, pending), others + withdrawn)
    observation, _ = dates_of(new)
    for position in single:
        pending[position] = False
        same_period = observation[:position] == observation[position]
        earlier = was[position] if is_kept[position] else np.nan
        if not is_kept[position] and same_period.any():
            earlier = new.value[:position][same_period][-1]
        yield _Arrival(_partly(new, was, is_kept, pending), 1, int(position), float(earlier))


def _partly(new: Archive, was: np.ndarray, is_kept: np.ndarray, pending: np.ndarray) -> Archive:
    """The new rows without the pending ones; a pending correction still has its old value."""
    return replace(new, value=np.where(pending & is_kept, was, new.value)).kept(~pending | is_kept)
