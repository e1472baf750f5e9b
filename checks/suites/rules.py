"""The vocabulary of the suites: a rule, a suite, and the ways a rule is usually written.

Belongs here: the shapes, as plain data. Does not belong here: the rules of a table (one module per table beside this
one), how a suite is judged (`checks/runner.py`), Great Expectations, Dagster.

A rule names a Great Expectations expectation and its arguments. Where the property spans columns or rows, `measure`
computes one number or text per row first, and the expectation judges that: NULL means there is nothing to judge.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from checks.suites.measures import Tables, distance

Severity = Literal["critical", "warning"]
Measure = Callable[[pd.DataFrame, Tables], pd.Series]

BETWEEN = "ExpectColumnValuesToBeBetween"
NOT_NULL = "ExpectColumnValuesToNotBeNull"
IN_SET = "ExpectColumnValuesToBeInSet"
PER_VALUE = (BETWEEN, NOT_NULL, IN_SET)  # each value is judged by itself
LARGEST = sys.float_info.max  # beyond it is infinity, which no figure is


@dataclass(frozen=True)
class Rule:
    """One property of one table.

    `name` is `<column>__<property>`; `statement` says what must hold, as a clause; `columns` are the columns it reads,
    `table.column` for one of another table. A rule whose columns are missing or wrongly typed has failed, critically,
    whatever its severity. `judges_type` marks a rule that judges a column's misfits with its declared type instead.
    """

    name: str
    severity: Severity
    expectation: str
    arguments: Mapping[str, Any]
    statement: str
    what_to_do: str
    columns: tuple[str, ...] = ()
    measure: Measure | None = None
    judges_type: bool = False

    def __post_init__(self) -> None:
        if self.measure is not None and self.expectation not in PER_VALUE:
            raise ValueError(
                f"{self.name}: a measure gives one value per row, {self.expectation} judges more"
            )

    @property
    def column_name(self) -> str:
        """The column the rule is about; `table` for the table as a whole."""
        return self.name.split("__")[0]

    @property
    def threshold(self) -> str:
        """What is allowed, in words; the unit is the column's."""
        low, high = self.arguments.get("min_value", -LARGEST), self.arguments.get("max_value", LARGEST)
        if self.expectation == BETWEEN:
            limits = ([f">= {low:g}"] if low > -LARGEST else []) + (
                [f"<= {high:g}"] if high < LARGEST else []
            )
            return " and ".join(limits) or "finite"
        if "value_set" in self.arguments:
            which = "none of" if "ToNotBe" in self.expectation else "one of"
            return f"{which}: " + ", ".join(str(value) for value in self.arguments["value_set"])
        return self.statement


@dataclass(frozen=True)
class Suite:
    """All rules of one table.

    `key` names a row in messages. `types` gives the declared type of every column the rules may read, under
    `table.column` for those of another table.
    """

    table: str
    key: tuple[str, ...]
    types: Mapping[str, str]
    rules: tuple[Rule, ...]

    @property
    def tables_beside(self) -> tuple[str, ...]:
        """Names of the other tables the rules read."""
        return tuple(dict.fromkeys(name.split(".")[0] for name in self.types if "." in name))

    def critical(self) -> Suite:
        """The same suite without its warnings."""
        return replace(self, rules=tuple(rule for rule in self.rules if rule.severity == "critical"))


def within(
    name: str,
    columns: tuple[str, ...],
    measure: Measure | None = None,
    *,
    statement: str,
    what_to_do: str,
    minimum: float | None = None,
    maximum: float | None = None,
    severity: Severity = "critical",
) -> Rule:
    """A number per row, measured or the first of `columns` itself, between two limits, both included."""
    limits = {"min_value": minimum, "max_value": maximum}
    arguments = {key: limit for key, limit in limits.items() if limit is not None}
    judged = {"column": name if measure else columns[0], **arguments}
    return Rule(name, severity, BETWEEN, judged, statement, what_to_do, columns, measure)


def never(
    name: str,
    columns: tuple[str, ...],
    broken: Measure,
    *,
    statement: str,
    what_to_do: str,
    severity: Severity = "critical",
) -> Rule:
    """A flag per row, 1 where the row breaks the rule: no row may."""
    return within(
        name, columns, broken, maximum=0, statement=statement, what_to_do=what_to_do, severity=severity
    )


def identity(
    name: str,
    columns: tuple[str, ...],
    pair: Callable[[pd.DataFrame, Tables], tuple[pd.Series, pd.Series]],
    *,
    tolerance: float,
    statement: str,
    what_to_do: str,
    severity: Severity = "critical",
) -> Rule:
    """Two figures per row that must be equal within `tolerance`, and be there together."""

    def apart(frame: pd.DataFrame, tables: Tables) -> pd.Series:
        return distance(*pair(frame, tables))

    return within(
        name, columns, apart, maximum=tolerance, statement=statement, what_to_do=what_to_do, severity=severity
    )
