"""The label as known next to the label with today's figures, and the series whose revision makes the difference."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog
from assets.compute.archive import Archive, as_revised, cut, of_series, revised_series, seen_otherwise
from assets.compute.conditions import Readings
from assets.compute.lookup import View
from assets.compute.reading import ON_BASES, texts
from assets.compute.regime import Regime, build_regime
from assets.compute.tables.assemble import readings_of
from assets.compute.tables.build import BUILDERS

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
