"""What a rule and a suite are, as plain data.

A rule takes one value per row, a column or what its `measure` computes, and limits it: a number between two others, or
a text from a list. NULL means there is nothing to check.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal

import pandas as pd

from checks.suites.measures import Tables

Severity = Literal["critical", "warning"]
Check = Literal["structure", "plausibility", "leaks", "continuity", "validity", "anomalies"]  # of an asset
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
