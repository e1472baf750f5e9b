"""`release_log`: what came in between two releases, and what each figure did to the score and the label.

The figures are put in one after the other: the effect of a line is the score after it less the score before it, so that
the lines add up to the change of the score exactly. In another order single effects would differ, their sum would not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, Profile
from assets.compute.archive import SOURCES, Archive, Captures, captured_by, cut, dates_of, of_series, resolve
from assets.compute.corrections import unequal
from assets.compute.diagnostics.revised import regime_of, relabelled, tables_by_series
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.regime import Regime
from assets.compute.tables.assemble import as_declared
from assets.compute.tables.build import build_view

SINGLE = 12  # newest figures of a series with a line each; older ones share a line


@dataclass(frozen=True)
class Newest:
    """The newest row of a release: its date, label and score (NaN without one)."""

    as_of: np.datetime64
    regime: str
    bubble_score: float


@dataclass(frozen=True)
class _Arrival:
    """One line: the rows of a series after it, and which of them came; None for several or for a withdrawal."""

    rows: Archive
    figures: int
    row: int | None = None
    before: float = np.nan

    def columns(self, is_shown: bool) -> dict[str, Any]:
        """What the line says of a single figure; no value of a series with restricted rights."""
        if self.row is None:
            return {}
        observation, start = dates_of(self.rows)
        return {
            "observation_date": observation[self.row],
            "realtime_start": start[self.row],
            "vintage_source": SOURCES[self.rows.source[self.row]],
            "previous_value": self.before if is_shown else np.nan,
            "new_value": self.rows.value[self.row] if is_shown else np.nan,
        }


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
    then, state = (_State.of(build_view(old, grid, catalog, profile)) for grid in grids)
    rows = [
        _line("method", before.regime, before.bubble_score, then),
        _line("date", then.label, then.score, state),
    ]
    old, new = (cut(archive, grids[1].as_of[-1]) for archive in (old, new))
    for series_id in _by_arrival(captures, old, new, moment):
        is_shown = catalog.series[series_id].rights != "restricted"
        for arrival in _arrivals(of_series(old, series_id), of_series(new, series_id)):
            label, score = state.label, state.score
            if series_id in tables and series_id in state.view.series:
                state = state.with_rows(series_id, arrival.rows, tables[series_id])
            line = _line("figures" if arrival.row is None else "figure", label, score, state)
            rows.append(
                line | {"series_id": series_id, "figures": arrival.figures} | arrival.columns(is_shown)
            )
    frame = as_declared(catalog.tables["release_log"], pd.DataFrame(rows))
    changes = unequal(frame["score_before"], frame["score_after"])
    changes |= (frame["regime_before"] != frame["regime_after"]).to_numpy()
    return frame[changes | frame["kind"].str.startswith("figure")].reset_index(drop=True)


@dataclass(frozen=True)
class _State:
    """Everything put in so far: the archive, what is computed from it, and the label of the run date."""

    view: View
    regime: Regime

    @classmethod
    def of(cls, view: View) -> _State:
        """Computed from the beginning."""
        return cls(view, regime_of(view))

    @property
    def label(self) -> str:
        return str(self.regime.label[-1])

    @property
    def score(self) -> float:
        return float(self.regime.bubble_score[-1])

    def with_rows(self, series_id: str, rows: Archive, tables: tuple[str, ...]) -> _State:
        """The same with other rows of one series."""
        view = replace(self.view, archive=self.view.archive.with_rows_of(series_id, rows))
        return _State(view, relabelled(view, self.regime, tables))


def _line(kind: str, label: str, score: float, after: _State) -> dict[str, Any]:
    return {
        "kind": kind,
        "figures": 0,
        "score_before": score,
        "score_after": after.score,
        "score_effect": after.score - score,
        "regime_before": label,
        "regime_after": after.label,
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
    """Every step from the old rows of a series to the new ones: what is older or withdrawn first, as one step.

    A row that was withdrawn for another one of its period goes with it, so that the period is never without a figure.
    """
    key = np.union1d(old.key, new.key)
    is_held, stays = np.isin(key, old.key), np.isin(key, new.key)
    value, source = np.full(len(key), np.nan), np.zeros(len(key), "int8")
    after = value.copy()
    value[is_held], after[stays] = old.value, new.value
    source[is_held] = old.source
    source[stays] = new.source
    every = Archive({**old.codes, **new.codes}, key, value, source)
    period, _ = dates_of(every)
    came = np.flatnonzero(stays & ~(is_held & ((value == after) | (np.isnan(value) & np.isnan(after)))))
    withdrawn, single = np.flatnonzero(is_held & ~stays), came[-SINGLE:]

    def put_in(rows: np.ndarray) -> Archive:
        value[rows], is_held[rows] = after[rows], stays[rows]
        return every.kept(is_held)

    together = np.append(came[:-SINGLE], withdrawn[~np.isin(period[withdrawn], period[single])])
    if len(together):
        yield _Arrival(put_in(together), len(together))
    for row in single.tolist():
        known = np.flatnonzero(is_held & (period == period[row]))
        known = known[(known <= row) | ~stays[known]]
        earlier = float(value[known[-1]]) if len(known) else np.nan
        rows = put_in(np.append(withdrawn[period[withdrawn] == period[row]], row))
        yield _Arrival(rows, 1, int(is_held[:row].sum()), earlier)
