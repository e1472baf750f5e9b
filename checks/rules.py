"""What a rule and a suite are, as plain data.

A rule takes one value per row, a column or what its `measure` computes, and limits it: a number between two others, or
a text from a list. NULL means there is nothing to check.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

Severity = Literal["critical", "warning"]
Check = Literal["structure", "plausibility", "leaks", "continuity", "validity", "anomalies"]  # of an asset
Tables = Mapping[str, pd.DataFrame]  # other tables, by name
Measure = Callable[[pd.DataFrame, Tables], pd.Series]

LARGEST = sys.float_info.max  # beyond it is infinity, which no figure is


@dataclass(frozen=True)
class Rule:
    """One property of one table.

    `name` is `<column>__<property>`; `statement` says what must hold, as a clause; `columns` are the columns it reads,
    `table.column` for one of another table. A rule whose columns are missing fails critically, whatever its severity.
    `of_table`: it is checked without any row too; a value after those of the rows is about the table as a whole.
    """

    name: str
    columns: tuple[str, ...]
    measure: Measure | None = None  # without one, the first of `columns` itself
    _: KW_ONLY
    statement: str
    what_to_do: str
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] | None = None
    severity: Severity = "critical"
    check: Check = "structure"
    of_table: bool = False

    @property
    def column_name(self) -> str:
        """The column the rule is about; `table` for the table as a whole."""
        return self.name.split("__")[0]

    @property
    def threshold(self) -> str:
        """What is allowed, in words; the unit is the column's."""
        if self.allowed is not None:
            return f"one of: {', '.join(self.allowed)}"
        low = [] if self.minimum is None else [f">= {self.minimum:g}"]
        high = [] if self.maximum is None else [f"<= {self.maximum:g}"]
        return " and ".join(low + high) or "finite"


@dataclass(frozen=True)
class Suite:
    """All rules of one table. `key` names a row in messages."""

    table: str
    key: tuple[str, ...]
    rules: tuple[Rule, ...]

    @property
    def tables_read(self) -> tuple[str, ...]:
        """Names of the other tables the rules read."""
        columns = (column for rule in self.rules for column in rule.columns if "." in column)
        return tuple(dict.fromkeys(column.split(".")[0] for column in columns))

    def critical(self) -> Suite:
        """The same suite without its warnings."""
        return replace(self, rules=tuple(rule for rule in self.rules if rule.severity == "critical"))


# ---- what a row is measured by before its value is limited; NULL where there is nothing to check


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
