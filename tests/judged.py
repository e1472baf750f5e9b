"""What the suites judge, as clean frames of the sample, and ways of spoiling them.

Belongs here: one clean frame per judged table, judging one, spoiling every column at once. Does not belong here:
spoilt inputs with a name (the tests), the suites themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import Column, Table
from assets.warehouse.readers import read_table
from checks.registry import JUDGEMENT, suite_of
from checks.runner import SuiteResult, run_suite
from checks.suites.types import NUMBERS
from tests.builders import an_archive
from tests.integration.sample_night import SAMPLE_END, fill, night_facts

Frames = Mapping[str, pd.DataFrame]
AS_OF = SAMPLE_END
PUBLISHED_AT = pd.Timestamp("2026-06-01 01:00:05")
WRITTEN_BY_PUBLISHING = (
    "regime_nightly",
    "late_figures",
    "row_corrections",
)  # empty before the first publication
_ROWS_SPOILT = 12
_FAR_DAYS = 20 * 365


@cache
def clean_frames() -> Frames:
    """Every judged table as the sample gives it; a copy is needed to change one."""
    with an_archive() as con:
        fill(con, night_facts(Path(), AS_OF, PUBLISHED_AT.to_pydatetime().replace(tzinfo=dt.UTC)))
        frames = {
            name: read_table(con, f"{load_catalog().tables[name].layer}.{name}")
            for name in JUDGEMENT
            if name not in WRITTEN_BY_PUBLISHING
        }
    nightly = frames["regime"].tail(1).reset_index(drop=True)
    nightly["first_published_at"] = PUBLISHED_AT
    nightly.insert(0, "published_at", PUBLISHED_AT)
    return {
        **frames,
        "regime_nightly": nightly,
        "late_figures": _late_figure(),
        "row_corrections": _corrections(),
    }


def _late_figure() -> pd.DataFrame:
    days = {
        "as_of_date": "2026-04-30", "observation_date": "2026-03-01", "realtime_start": "2026-04-10",
        "captured_at": "2026-06-02 01:00", "first_published_at": "2026-06-01 01:00",
        "captured_until": "2026-06-01 01:00",
    }  # fmt: skip
    row = {name: pd.Timestamp(day) for name, day in days.items()}
    row |= {"series_id": "UNRATE", "value_used": 4.2, "value_late": 4.3}
    return pd.DataFrame([row])[list(load_catalog().tables["late_figures"].column_names)]


def _corrections() -> pd.DataFrame:
    """A changed cell of regime, and cells of another table together."""
    cause = {
        "release_id": "20260602T010005.000000Z", "reason": "late", "series_ids": "NFCI",
        "captured_at": pd.Timestamp("2026-06-02 01:00"),
    }  # fmt: skip
    cell = {
        "correction_number": 1, "table_name": "regime", "as_of_date": pd.Timestamp("2026-04-30"),
        "column_name": "credit_score", "value_before": "0.5", "value_after": "0.52",
    }  # fmt: skip
    table = {
        "correction_number": 2, "table_name": "credit_spreads", "first_date": pd.Timestamp("1985-01-31"),
        "last_date": pd.Timestamp("2026-04-30"), "cells": 990, "largest_change": 0.4,
    }  # fmt: skip
    declared = load_catalog().tables["row_corrections"]
    frame = pd.DataFrame([cause | cell, cause | table])[list(declared.column_names)]
    days = {c.name: "datetime64[s]" for c in declared.columns if c.type == "DATE"}
    return frame.astype(days | {"cells": "Int64"})


def judge(table: str, changed: Frames | None = None) -> SuiteResult:
    """The suite of a table on clean frames, some of them replaced by `changed`."""
    frames = {**clean_frames(), **(changed or {})}
    return run_suite(frames[table], suite_of(table, load_catalog(), AS_OF), frames)


def broken(result: SuiteResult) -> set[str]:
    """Names of the rules that were judged and do not hold; one that could not be judged is not among them."""
    return {r.rule.name for r in result.failed if not r.message.startswith("not judged")}


def spoilt_frames(table: str) -> Iterator[Frames]:
    """The table, and those its rules read, spoilt in every general way: one way at a time, all columns of it."""
    declared, frames = load_catalog().tables[table], clean_frames()
    clean = frames[table]
    for spoil in (_missing, _wrong_type, _infinite, _larger, _smaller, _filled, _another):
        yield {table: _each_column(clean, declared, spoil)}
    yield {table: clean.iloc[:0]}
    yield {table: clean[list(clean.columns[::-1])]}
    yield {table: pd.concat([clean, clean.tail(1)], ignore_index=True)}
    yield {table: clean.drop(index=clean.index[len(clean) // 2])}
    for name in suite_of(table, load_catalog(), AS_OF).tables_beside:
        for spoil in (_larger, _smaller, _another):
            yield {name: _each_column(frames[name], load_catalog().tables[name], spoil)}


def _each_column(
    frame: pd.DataFrame, table: Table, spoil: Callable[[pd.Series, Column, int], pd.Series]
) -> pd.DataFrame:
    """Every column spoilt in rows of its own, as far as there are enough rows."""
    out = {}
    for n, column in enumerate(table.columns):
        values = frame[column.name]
        rows = np.unique((np.linspace(0, len(values) - 1, _ROWS_SPOILT).astype(int) + n) % len(values))
        wrong = spoil(values.iloc[rows], column, n)
        out[column.name] = _replaced(values, rows, wrong)
    return pd.DataFrame(out)


def _replaced(values: pd.Series, rows: np.ndarray, wrong: pd.Series) -> pd.Series:
    """`wrong` in those rows; a column of days or numbers stays one unless what is put in is text."""
    if pd.api.types.is_datetime64_dtype(values) and (wrong.isna() | ~wrong.map(_is_text)).all():
        kept = values.copy()
        kept.iloc[rows] = pd.to_datetime(wrong).to_numpy()
        return kept
    mixed = values.astype(object)
    mixed.iloc[rows] = wrong.astype(object).to_numpy()
    mixed = mixed.where(mixed.notna(), None)
    return mixed if wrong.map(_is_text).any() else mixed.astype(_dtype_with_gaps(values))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _dtype_with_gaps(values: pd.Series) -> str | object:
    """The column's own type, or the nullable one of a kind that knows no missing value."""
    return {"i": "Int64", "b": "boolean"}.get(values.dtype.kind, values.dtype)


def _missing(values: pd.Series, column: Column, n: int) -> pd.Series:
    return pd.Series([None] * len(values), dtype=object)


def _wrong_type(values: pd.Series, column: Column, n: int) -> pd.Series:
    return pd.Series([17 if column.type == "VARCHAR" else "text"] * len(values), dtype=object)


def _infinite(values: pd.Series, column: Column, n: int) -> pd.Series:
    return values.fillna(1) * np.inf if column.type == "DOUBLE" else values


def _larger(values: pd.Series, column: Column, n: int) -> pd.Series:
    return _moved(values, column, 1, n)


def _smaller(values: pd.Series, column: Column, n: int) -> pd.Series:
    return _moved(values, column, -1, n)


def _moved(values: pd.Series, column: Column, sign: int, n: int) -> pd.Series:
    if column.type in NUMBERS:
        return (values.fillna(0) + sign * (1e6 + 1000 * n)).astype(values.dtype)
    if column.type in ("DATE", "TIMESTAMP"):
        return pd.to_datetime(values) + sign * pd.Timedelta(days=_FAR_DAYS + n)
    if column.type == "BOOLEAN":
        return ~values.astype("boolean").fillna(False).astype(bool)
    return pd.Series(["nonsense"] * len(values), dtype=object)


def _filled(values: pd.Series, column: Column, n: int) -> pd.Series:
    """A value where there is none, and a slightly other one where there is."""
    if column.type in NUMBERS:
        return values.fillna(0) + (1 if column.type != "DOUBLE" else 0.01 * (n + 1))
    if column.type in ("DATE", "TIMESTAMP"):
        return pd.to_datetime(values).fillna(pd.Timestamp(AS_OF)) + pd.Timedelta(days=1)
    return _another(values, column, n)


def _another(values: pd.Series, column: Column, n: int) -> pd.Series:
    """Another value of those the column may hold; slightly smaller numbers, days moved one way or the other."""
    if column.type in NUMBERS:
        return values.fillna(0) - (1 if column.type != "DOUBLE" else 0.02 * (n + 1))
    if column.type in ("DATE", "TIMESTAMP"):
        return pd.to_datetime(values) + pd.Timedelta(days=(n + 1) * (-1 if n % 2 else 1))
    if column.type == "BOOLEAN":
        return ~values.astype("boolean").fillna(True).astype(bool)
    choice = column.values or ("other", "another")
    return pd.Series([choice[(n + k) % len(choice)] for k in range(len(values))], dtype=object)
