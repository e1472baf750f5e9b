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
from assets.compute.regime import Regime
from assets.compute.tables.assemble import as_declared
from assets.compute.tables.build import build_view

_NO_VALUES = {"previous_value": np.nan, "new_value": np.nan}  # of a series with restricted rights
SINGLE = 12  # newest figures of a series with a line each; older ones share a line


@dataclass(frozen=True)
class Newest:
    """The newest row of a release: its date, label and score (NaN without one)."""

    as_of: np.datetime64
    regime: str
    bubble_score: float


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
    then, view = (build_view(old, grid, catalog, profile) for grid in grids)
    regime, was = regime_of(view), _newest(regime_of(then))
    rows = [
        _line((before.regime, before.bubble_score), was) | {"kind": "method", "figures": 0},
        _line(was, _newest(regime)) | {"kind": "date", "figures": 0},
    ]
    old, new = (cut(archive, grids[1].as_of[-1]) for archive in (old, new))
    for series_id in _by_arrival(captures, old, new, moment):
        hidden = _NO_VALUES if catalog.series[series_id].rights == "restricted" else {}
        for held, facts in _arrivals(of_series(old, series_id), of_series(new, series_id)):
            was = _newest(regime)
            if series_id in tables and series_id in view.series:
                view = replace(view, archive=view.archive.with_rows_of(series_id, held))
                regime = relabelled(view, regime, tables[series_id])
            rows.append(_line(was, _newest(regime)) | {"series_id": series_id} | facts | hidden)
    frame = as_declared(catalog.tables["release_log"], pd.DataFrame(rows))
    changes = unequal(frame["score_before"], frame["score_after"])
    changes |= (frame["regime_before"] != frame["regime_after"]).to_numpy()
    return frame[changes | frame["kind"].str.startswith("figure")].reset_index(drop=True)


def _newest(regime: Regime) -> tuple[str, float]:
    """Label and score of the run date."""
    return str(regime.label[-1]), float(regime.bubble_score[-1])


def _line(before: tuple[str, float], after: tuple[str, float]) -> dict[str, Any]:
    return {
        "score_before": before[1],
        "score_after": after[1],
        "score_effect": after[1] - before[1],
        "regime_before": before[0],
        "regime_after": after[0],
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


def _arrivals(old: Archive, new: Archive) -> Iterator[tuple[Archive, dict[str, Any]]]:
    """Every step from the old rows of a series to the new ones, and what came: older or withdrawn first, as one step.

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
    period, start = dates_of(every)
    came = np.flatnonzero(stays & ~(is_held & ((value == after) | (np.isnan(value) & np.isnan(after)))))
    withdrawn, single = np.flatnonzero(is_held & ~stays), came[-SINGLE:]

    def put_in(rows: np.ndarray) -> Archive:
        value[rows], is_held[rows] = after[rows], stays[rows]
        return every.kept(is_held)

    together = np.append(came[:-SINGLE], withdrawn[~np.isin(period[withdrawn], period[single])])
    if len(together):
        yield put_in(together), {"kind": "figures", "figures": len(together)}
    for row in single.tolist():
        known = np.flatnonzero(is_held & (period == period[row]))
        known = known[(known <= row) | ~stays[known]]
        facts = {
            "kind": "figure",
            "figures": 1,
            "observation_date": period[row],
            "realtime_start": start[row],
            "vintage_source": SOURCES[source[row]],
            "previous_value": float(value[known[-1]]) if len(known) else np.nan,
            "new_value": after[row],
        }
        yield put_in(np.append(withdrawn[period[withdrawn] == period[row]], row)), facts
