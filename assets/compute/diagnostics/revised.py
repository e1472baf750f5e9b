"""`regime_revised` and `release_log`: what later figures do to score and label.

`regime_revised`: the label as known next to the label with today's figures, and the series whose revision makes the
difference. `release_log`: what came in between two releases; the figures are put in one after the other, so that the
effects of the lines add up to the change of the score exactly. In another order single effects would differ, their sum
would not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, Profile
from assets.compute.archive import (
    SOURCES,
    Archive,
    Captures,
    as_revised,
    captured_by,
    cut,
    dates_of,
    of_series,
    resolve,
    revised_series,
    seen_otherwise,
)
from assets.compute.conditions import Readings
from assets.compute.grid import Grid
from assets.compute.lookup import View
from assets.compute.reading import ON_BASES, texts
from assets.compute.record import unequal
from assets.compute.regime import Regime, build_regime
from assets.compute.tables.assemble import as_declared, readings_of
from assets.compute.tables.build import BUILDERS, build_view

LABELS = ("regime", "condition_state", "stance_realised", "bubble_score")  # columns of `regime`
_SAME = 1e-9  # a smaller difference of scores is none


def regime_revised(as_known: View, published: pd.DataFrame) -> pd.DataFrame:
    """Columns of `regime_revised`, from what was known on a grid and the published `regime` of it."""
    today = as_revised(cut(as_known.archive, as_known.as_of[-1]))
    known = published[list(LABELS)].reset_index(drop=True).astype({"bubble_score": "float64"})
    now = _labels(regime_of(replace(as_known, archive=today)))
    revision = now["bubble_score"] - known["bubble_score"]
    differs = (now["regime"] != known["regime"]) | (revision.abs() > _SAME)
    differs |= now["bubble_score"].isna() != known["bubble_score"].isna()
    return pd.DataFrame(
        {
            "as_of_date": as_known.as_of.astype("datetime64[s]"),
            "is_month_end": as_known.grid.is_month_end,
            "regime": known["regime"],
            "regime_revised": now["regime"],
            "condition_state": known["condition_state"],
            "condition_state_revised": now["condition_state"],
            "stance_realised": known["stance_realised"],
            "stance_realised_revised": now["stance_realised"],
            "bubble_score": known["bubble_score"],
            "revised_score": now["bubble_score"],
            "score_revision": revision,
            "is_same_regime": now["regime"] == known["regime"],
            **_causes(known, now, differs.to_numpy(), _each_alone(as_known, today)),
        }
    )


def _labels(regime: Regime) -> pd.DataFrame:
    """The columns of LABELS, a row per grid date."""
    columns = regime.label, regime.states.state, regime.stance.realised, regime.bubble_score
    return pd.DataFrame(dict(zip(LABELS, columns, strict=True)))


def _causes(
    known: pd.DataFrame,
    now: pd.DataFrame,
    differs: np.ndarray,
    each_alone: Iterable[tuple[str, pd.DataFrame]],
) -> dict[str, np.ndarray]:
    """The series that alone gives the revised label, else the one that moves the score the most towards the new one."""
    n = len(differs)
    cause, is_alone = np.full(n, None, dtype=object), np.full(n, None, dtype=object)
    explained, best = np.full(n, np.nan), np.full(n, -np.inf)
    towards = np.sign(np.nan_to_num(now["bubble_score"] - known["bubble_score"]))
    for series_id, with_one in each_alone if differs.any() else ():
        change = np.nan_to_num(with_one["bubble_score"] - known["bubble_score"])
        is_other = (with_one["regime"] != known["regime"]).to_numpy()
        alone = (with_one["regime"] == now["regime"]).to_numpy() & is_other
        moved = (np.abs(change) > _SAME) | is_other
        worth = np.where(moved & differs, alone * 10.0 + towards * change, -np.inf)
        better = worth > best
        best, explained = np.where(better, worth, best), np.where(better, change, explained)
        cause, is_alone = texts(better, series_id, cause), texts(better, alone, is_alone)
    return {"explained_by": cause, "explained_score_change": explained, "is_explained_alone": is_alone}


def _each_alone(as_known: View, today: Archive) -> Iterator[tuple[str, pd.DataFrame]]:
    """Every revised series with the labels its figures of today give when all others stay as known.

    Only the tables through which the series reaches the label are computed again.
    """
    regime, tables = regime_of(as_known), tables_by_series(as_known.catalog)
    otherwise = seen_otherwise(as_known.archive, as_known.as_of)
    for series_id in filter(today.has, revised_series(as_known.archive)):
        if series_id not in otherwise or series_id not in tables:
            yield series_id, _labels(regime)
            continue
        view = replace(
            as_known, archive=as_known.archive.with_rows_of(series_id, of_series(today, series_id))
        )
        yield series_id, _labels(relabelled(view, regime, tables[series_id]))


def relabelled(view: View, regime: Regime, tables: Iterable[str]) -> Regime:
    """A regime with some tables built again from a view.

    A rank depends only on its column and on the bases of the column's rows: it is kept where none of them changed.
    """
    again = readings_of({name: BUILDERS[name](view) for name in tables})
    is_same = partial(np.array_equal, equal_nan=True)
    changed = {name for name, of in again.items() if not is_same(of.value, regime.readings[name].value)}
    if not changed:
        return regime
    ranks = {
        c.column: c.rank
        for c in regime.components
        if changed.isdisjoint([c.column, *ON_BASES.get(c.column, ())])
    }
    return build_regime({**regime.readings, **again}, regime.grid, regime.catalog, ranks)


def tables_by_series(catalog: Catalog) -> Mapping[str, tuple[str, ...]]:
    """By series id, the derived tables through which its figures reach the label, as `derived_from` declares."""
    reached: dict[str, set[str]] = {}
    for column in catalog.columns_read("regime", LABELS):
        table = column.split(".")[0]
        for series_id in catalog.source_series([column]) if table in BUILDERS else ():
            reached.setdefault(series_id, set()).add(table)
    return {series_id: tuple(sorted(tables)) for series_id, tables in reached.items()}


def readings_of_labels(view: View) -> Readings:
    """Readings by "table.column", of every table the labels read, from figures as the view sees them."""
    tables = {table for reached in tables_by_series(view.catalog).values() for table in reached}
    return readings_of({name: BUILDERS[name](view) for name in tables})


def regime_of(view: View) -> Regime:
    """The regime from figures as the view sees them."""
    return build_regime(readings_of_labels(view), view.grid, view.catalog)


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
