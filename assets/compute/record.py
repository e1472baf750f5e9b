"""The record as published, with its live rows; which cells of two panels differ, and which captures explain it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from assets.catalog.models import Table
from assets.compute.calendar import days
from assets.compute.conditions import SCORED
from assets.compute.grid import LIVE
from assets.compute.regime import Regime, build_regime
from assets.compute.state import States, run_starts

Frames = Mapping[str, pd.DataFrame]


def overlaid(panel: pd.DataFrame, live: pd.DataFrame, dates: pd.Series) -> pd.DataFrame:
    """The panel without its rows of the live `dates`, and with those of `live`, in the panel's columns, by date."""
    rest = panel[~panel["as_of_date"].isin(dates)]
    if not len(live):
        return rest
    both = pd.DataFrame({name: _joined(rest[name], live[name]) for name in panel.columns})
    return both.sort_values("as_of_date", kind="stable", ignore_index=True)


def published(name: str, panel: pd.DataFrame, live: Frames) -> pd.DataFrame:
    """A table as it is published: live rows, if it can have any, in place of the computed ones."""
    record = overlaid(panel, live[name], live["regime"]["as_of_date"]) if name in live else panel
    return with_spells(record) if name == "regime" else record


def record_of(panel: Frames, live: Frames) -> dict[str, pd.DataFrame]:
    """Every table of a panel as it is published."""
    return {name: published(name, frame, live) for name, frame in panel.items()}


def with_spells(regime: pd.DataFrame) -> pd.DataFrame:
    """`regime` with `regime_since` by the labels as published; a live row keeps its own."""
    ordered = regime.sort_values("as_of_date")
    since = ordered["as_of_date"].to_numpy()[run_starts(ordered["regime"].to_numpy(dtype=object))]
    is_live = (ordered["row_kind"] == LIVE).to_numpy()
    since = np.where(is_live, ordered["regime_since"], since)
    return ordered.assign(regime_since=since).reindex(regime.index)


def _joined(rest: pd.Series, live: pd.Series) -> np.ndarray:
    """Two columns in one array: texts and missing flags make it one of objects."""
    if rest.dtype == live.dtype:
        return np.concatenate([rest.to_numpy(), live.to_numpy()])
    if pd.api.types.is_numeric_dtype(rest) and pd.api.types.is_numeric_dtype(live):
        return np.concatenate([s.to_numpy(dtype="float64", na_value=np.nan) for s in (rest, live)])
    return np.concatenate([s.to_numpy(dtype=object) for s in (rest, live)])


def overlaid_regime(regime: Regime, live: Frames) -> Regime:
    """The computed regime with the figures of live rows on their dates, from their `regime` and `regime_evidence`."""
    rows = live.get("regime")
    if rows is None or not len(rows):
        return regime
    at = np.searchsorted(regime.grid.as_of, days(rows["as_of_date"].to_numpy()))
    readings, ranks = dict(regime.readings), {c.column: c.rank for c in regime.components}
    evidence = dict(list(live["regime_evidence"].groupby("component")))
    for component in regime.components:
        if component.name in evidence:  # else added after the rows were frozen
            of = evidence[component.name].set_index("as_of_date").reindex(rows["as_of_date"])
            reading, name = component.reading, component.column
            readings[name] = replace(reading, value=_put(reading.value, of["value"], at))
            ranks[name] = _put(component.rank, of["rank"], at)
    scored = build_regime(readings, regime.grid, regime.catalog, ranks)
    # attribute of the stance: column of `regime`
    of_stance = {
        "rate": "rate_direction",
        "balance_sheet_realised": "balance_sheet_direction_realised",
        "balance_sheet_announced": "balance_sheet_direction_announced",
        "stance": "stance",
        "realised": "stance_realised",
        "driver": "stance_driver",
        "is_provisional": "is_stance_provisional",
    }
    stance = {
        name: _put(getattr(regime.stance, name), rows[column], at) for name, column in of_stance.items()
    }
    states = (
        _put(regime.states.state, rows["condition_state"], at),
        _put(regime.states.provisional, rows["provisional_condition_state"], at),
    )
    scores = {
        name: _put(getattr(scored.scores, name), rows[f"{name}_score"], at) for name in ("bubble", *SCORED)
    }
    return replace(
        scored,
        scores=replace(scored.scores, **scores),
        label=_put(regime.label, rows["regime"], at),
        states=States(*states),
        stance=replace(regime.stance, **stance),
    )


def _put(values: np.ndarray, live: pd.Series, at: np.ndarray) -> np.ndarray:
    """A copy of `values` with those of live rows at their positions, in the type of `values`."""
    values = values.copy()
    if values.dtype == object:
        values[at] = [None if missing else value for value, missing in zip(live, live.isna(), strict=True)]
    elif values.dtype.kind == "f":
        values[at] = live.to_numpy(dtype="float64", na_value=np.nan)
    else:
        values[at] = live.to_numpy(dtype=values.dtype)
    return values


ADDED_BY_PUBLICATION = ("first_published_at", "profile")
# The ledger of announcements is checked regularly, and a row becomes live or is no longer provisional: both may change
# although the row's figures and label stay.
MAY_CHANGE = ("is_stance_provisional", "row_kind")


@dataclass(frozen=True)
class Compared:
    """Cells of a table on two sides, rows by key: `differs` has the shape of (rows, columns)."""

    before: pd.DataFrame
    after: pd.DataFrame
    differs: np.ndarray

    @classmethod
    def of(
        cls, table: Table, before: pd.DataFrame, after: pd.DataFrame, dates: Collection[pd.Timestamp]
    ) -> Compared:
        """The rows of `dates` in the columns both have; a row that one side lacks is empty there."""
        names = [
            name
            for name in table.column_names
            if name not in (*ADDED_BY_PUBLICATION, *MAY_CHANGE, *table.key)
            and name in before
            and name in after
        ]
        sides = [_by_key(table, frame, names, dates) for frame in (before, after)]
        every = sides[0].index.union(sides[1].index)
        then, now = (side.reindex(every) for side in sides)
        differs = [unequal(then[name], now[name]) for name in then.columns]
        return cls(then, now, np.column_stack(differs) if len(every) else np.zeros((0, len(differs)), bool))

    def on(self, cells: Compared) -> np.ndarray:
        """Which cells differ here, on the rows and columns of another comparison; none it does not have."""
        here = pd.DataFrame(self.differs, index=self.after.index, columns=self.after.columns)
        there = here.reindex(index=cells.after.index, columns=cells.after.columns, fill_value=False)
        return there.to_numpy(dtype=bool)


def _by_key(
    table: Table, frame: pd.DataFrame, names: list[str], dates: Collection[pd.Timestamp]
) -> pd.DataFrame:
    rows = frame[frame["as_of_date"].isin(list(dates))]
    return rows.set_index(list(table.key))[names].sort_index()


def unequal(a: pd.Series, b: pd.Series) -> np.ndarray:
    """Where two columns of equal length differ, exactly; two absent values are equal, and infinity is absent."""
    if pd.api.types.is_float_dtype(a) or pd.api.types.is_float_dtype(b):
        x, y = (s.to_numpy(dtype="float64", na_value=np.nan) for s in (a, b))
        x, y = (np.where(np.isfinite(v), v, np.nan) for v in (x, y))
        return np.asarray(~((x == y) | (np.isnan(x) & np.isnan(y))))
    if pd.api.types.is_datetime64_dtype(a) and pd.api.types.is_datetime64_dtype(b):
        days, others = a.to_numpy(), b.to_numpy()
        return np.asarray((days != others) & ~(np.isnat(days) & np.isnat(others)))
    left, right = (s.to_numpy(dtype=object, na_value="") for s in (a, b))
    return np.asarray(left != right, dtype=bool)


CELLS_OF = "regime"  # its changes are listed cell by cell, those of other tables together
COLUMNS = (
    "table_name", "as_of_date", "column_name", "value_before", "value_after", "reason", "series_ids",
    "captured_at", "first_date", "last_date", "cells", "largest_change",
)  # fmt: skip


@dataclass(frozen=True)
class Cause:
    """Captures of one kind since the last publication. `series_ids` is one series, or all of them together."""

    reason: str
    series_ids: str
    captured_at: dt.datetime


def corrections(
    before: Frames,
    after: Frames,
    causes: Sequence[tuple[Cause, Callable[[], Frames]]],
    tables: Iterable[Table],
    dates: Collection[pd.Timestamp],
    hidden: Mapping[str, Collection[str]],
) -> pd.DataFrame:
    """Every change of rows of `dates`, in COLUMNS; empty without one.

    Each cause comes with the panel computed without its captures: a changed cell that differs there is attributed to
    it. A cell no single cause changes is attributed to all together. `hidden` names columns of restricted figures.
    """
    by_name = {table.name: table for table in tables}
    compared = {name: Compared.of(table, before[name], after[name], dates) for name, table in by_name.items()}
    moved = {name: cells for name, cells in compared.items() if cells.differs.any()}
    unexplained = {name: cells.differs.copy() for name, cells in moved.items()}
    rows: list[pd.DataFrame] = []
    for cause, without in causes:
        frames = without()
        for name, cells in moved.items():
            other = Compared.of(by_name[name], frames[name], after[name], dates)
            due = cells.differs & other.on(cells)
            unexplained[name] &= ~due
            rows += _rows(name, cells, due, cause, hidden.get(name, ()))
    for name, cells in moved.items() if causes else ():
        together = _together([cause for cause, _ in causes])
        rows += _rows(name, cells, unexplained[name], together, hidden.get(name, ()))
    return pd.concat(rows, ignore_index=True)[list(COLUMNS)] if rows else pd.DataFrame(columns=list(COLUMNS))


def _together(causes: Sequence[Cause]) -> Cause:
    series = sorted({cause.series_ids for cause in causes})
    reasons = [cause.reason for cause in causes]
    return Cause(
        max(reasons, key=reasons.count), ",".join(series), max(cause.captured_at for cause in causes)
    )


def _rows(
    name: str, cells: Compared, due: np.ndarray, cause: Cause, hidden: Collection[str]
) -> list[pd.DataFrame]:
    if not due.any():
        return []
    at, column = (found.tolist() for found in np.nonzero(due))
    dates = cells.after.index.get_level_values("as_of_date")[at]
    of_cause = {
        "table_name": name,
        "reason": cause.reason,
        "series_ids": cause.series_ids,
        "captured_at": pd.Timestamp(cause.captured_at),
    }
    if name != CELLS_OF:
        change = [_change(cells, due, c) for c in cells.after.columns if c not in hidden]
        span = {"first_date": dates.min(), "last_date": dates.max(), "cells": len(at)}
        largest = max((c for c in change if c is not None), default=np.nan)
        found = pd.DataFrame([{**of_cause, **span, "largest_change": largest}])
    else:
        texts = {
            f"value_{when}": [text_of(frame.iat[row, c]) for row, c in zip(at, column, strict=True)]
            for when, frame in (("before", cells.before), ("after", cells.after))
        }
        names = np.asarray(cells.after.columns, dtype=object)[column]
        found = pd.DataFrame({"as_of_date": dates, "column_name": names, **texts, **of_cause})
    return [found.reindex(columns=list(COLUMNS)).astype(object)]


def _change(cells: Compared, due: np.ndarray, name: str) -> float | None:
    """Largest change of a number in a column, among the cells due to a cause."""
    if not pd.api.types.is_float_dtype(cells.after[name]):
        return None
    chosen = due[:, cells.after.columns.get_loc(name)]
    change = (cells.after[name] - cells.before[name]).abs()[chosen].dropna()
    return float(change.max()) if len(change) else None


def text_of(value: object) -> str | None:
    """A cell as text, numbers in full precision; None where it is empty."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, pd.Timestamp | dt.date):
        return f"{value:%Y-%m-%d}"
    return repr(float(value)) if isinstance(value, float) else str(value)
