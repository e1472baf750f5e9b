"""What a row is measured by before its value is limited: pure functions, NULL where there is nothing to check."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

Tables = Mapping[str, pd.DataFrame]  # other tables, by name


def flag(broken: pd.Series, checked: pd.Series | None = None) -> pd.Series:
    """1 where a row breaks a rule, 0 where it keeps it, NULL where it is not `checked`. Unknown counts as false."""
    number = truth(broken).astype("float64")
    return number if checked is None else number.where(truth(checked))


def truth(values: pd.Series) -> pd.Series:
    """A nullable condition as plain booleans: unknown is false."""
    return values.astype("boolean").fillna(False).astype(bool)


def differs(actual: pd.Series, expected: pd.Series) -> pd.Series:
    """1 where two texts or flags that must be equal are not; two NULLs are equal."""
    both_unknown = actual.isna() & expected.isna()
    return flag(~both_unknown & ~truth(actual == expected))


def days_between(earlier: pd.Series, later: pd.Series) -> pd.Series:
    """Days from `earlier` to `later`, negative when they are the other way round."""
    return (later - earlier).dt.days.astype("float64")


def missing_before(dates: pd.Series, expected: pd.Series) -> pd.Series:
    """How many expected dates are absent, counted on the next date that is there (after the last: on the last)."""
    present = np.unique(dates.dropna().to_numpy(dtype="datetime64[s]"))
    absent = np.setdiff1d(expected.dropna().to_numpy(dtype="datetime64[s]"), present)
    if not len(present):
        return pd.Series(np.nan, index=dates.index)
    at = np.minimum(np.searchsorted(present, absent), len(present) - 1)
    count = pd.Series(np.bincount(at, minlength=len(present)).astype("float64"), index=present)
    return pd.Series(dates.map(count), index=dates.index).where(~dates.duplicated())


def step_size(frame: pd.DataFrame, column: str) -> pd.Series:
    """Size of the change since the row before, in date order; NULL where either figure is absent."""
    return frame.sort_values("as_of_date")[column].diff().abs().reindex(frame.index)


def row_before(frame: pd.DataFrame, column: str) -> pd.Series:
    """The value of the row before, in date order."""
    return frame.sort_values("as_of_date")[column].shift().reindex(frame.index)
