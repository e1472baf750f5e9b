"""Whether values are of the type a column declares, and one representation per type for everything that follows.

Belongs here: the meaning of DATE, DOUBLE, BOOLEAN and so on in a frame. Does not belong here: rules, casts on writing
(the warehouse does those). A column without any value fits every type.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

NUMBERS = ("DOUBLE", "INTEGER", "BIGINT")
DATES = ("DATE", "TIMESTAMP")


def misfits(values: pd.Series, declared: str) -> pd.Series:
    """1.0 for every value that is not of the declared type, 0.0 for the rest, NaN where there is no value."""
    known = values.notna().to_numpy()
    if declared in NUMBERS:
        fits = _are_numbers(values, whole=declared != "DOUBLE")
    elif declared in DATES:
        fits = _are_dates(values, whole_days=declared == "DATE")
    elif declared == "BOOLEAN" and pd.api.types.is_bool_dtype(values):
        fits = known
    else:
        fits = _are(values, (bool, np.bool_) if declared == "BOOLEAN" else (str,))
    return pd.Series(np.where(known, np.where(fits, 0.0, 1.0), np.nan), values.index)


def settled(values: pd.Series, declared: str) -> pd.Series:
    """The same values as float64, datetime64[us], nullable boolean or object; only for a column that fits."""
    if declared in NUMBERS:
        return values.astype("Float64" if values.dtype == object else values.dtype).astype("float64")
    if declared in DATES:
        moments = (
            [None if pd.isna(value) else value for value in values] if values.dtype == object else values
        )
        return pd.Series(np.asarray(moments).astype("datetime64[us]"), values.index)
    if declared == "BOOLEAN":
        return values.astype("boolean")
    return values.astype(object)


def _are(values: pd.Series, kinds: tuple[type, ...]) -> np.ndarray:
    if (
        pd.api.types.infer_dtype(values, skipna=True) == "string"
    ):  # by far the most frequent, and fast to tell
        return np.full(len(values), str in kinds)
    return np.fromiter((isinstance(value, kinds) for value in values), dtype=bool, count=len(values))


def _are_numbers(values: pd.Series, *, whole: bool) -> np.ndarray:
    if pd.api.types.is_bool_dtype(values):
        return np.zeros(len(values), dtype=bool)
    if not pd.api.types.is_numeric_dtype(values):
        fits = _are(values, (int, float, np.integer, np.floating)) & ~_are(values, (bool,))
        values = values.where(fits).astype("float64")
    else:
        fits = np.ones(len(values), dtype=bool)
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    return fits & (numbers == np.trunc(numbers)) if whole else fits


def _are_dates(values: pd.Series, *, whole_days: bool) -> np.ndarray:
    if pd.api.types.is_datetime64_dtype(values):
        days = values.to_numpy().astype("datetime64[D]")
        return np.ones(len(values), dtype=bool) if not whole_days else values.to_numpy() == days
    if whole_days:
        return _are(values, (dt.date,)) & ~_are(values, (dt.datetime,))
    return _are(values, (dt.datetime,))
