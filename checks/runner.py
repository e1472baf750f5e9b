"""Checking frames by their suites, and what each rule found.

Nothing is caught here: a crash of a measure is an error of the run and never taken for failed data.
"""

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from checks.expectations import Outcome, Positions, outcomes
from checks.rules import Rule, Severity, Suite, Tables

EXAMPLES = 5
NOTHING = "nothing to check."
Example = Mapping[str, object]


@dataclass(frozen=True)
class RuleResult:
    """What one rule found.

    `evaluated_rows` counts the rows there was something to check on, `failing_rows` those that broke the rule;
    `positions` are the failing rows of the frame, `examples` at most five of them: key, columns read, measure.
    """

    rule: Rule
    passed: bool
    severity: Severity
    evaluated_rows: int
    failing_rows: int
    message: str
    positions: Positions
    examples: tuple[Example, ...]

    @property
    def was_checked(self) -> bool:
        """Whether there was something to check."""
        return bool(self.evaluated_rows) or not self.passed


@dataclass(frozen=True)
class SuiteResult:
    """What all rules of one table found, in the order of the suite."""

    suite: Suite
    rows: int
    results: tuple[RuleResult, ...]

    @property
    def table(self) -> str:
        """Name of the checked table."""
        return self.suite.table

    @property
    def failed(self) -> tuple[RuleResult, ...]:
        """Rules that failed, critical ones first."""
        return tuple(
            sorted((r for r in self.results if not r.passed), key=lambda r: r.severity != "critical")
        )


@dataclass(frozen=True)
class Job:
    """A frame, its suite, and the other tables its rules read."""

    frame: pd.DataFrame
    suite: Suite
    tables: Tables

    def fault(self, rule: Rule) -> str | None:
        """What keeps a rule from being checked: a column or a table that is missing."""
        for name in rule.columns:
            table, _, column = name.rpartition(".")
            if table and table not in self.tables:
                return f"table {table} is missing"
            if column not in (self.tables[table] if table else self.frame):
                return f"column {name} is missing"
        return None

    def values(self, rule: Rule) -> pd.Series:
        """What the rule checks, one value per row."""
        if self.frame.empty and not rule.of_table:
            return pd.Series(dtype="float64")
        return rule.measure(self.frame, self.tables) if rule.measure else self.frame[rule.columns[0]]

    @cached_property
    def checkable(self) -> dict[str, tuple[Rule, pd.Series]]:
        """Rules whose columns are there, by name, with the values they check."""
        return {rule.name: (rule, self.values(rule)) for rule in self.suite.rules if not self.fault(rule)}

    def result(self, rule: Rule, outcome: Outcome | None) -> RuleResult:
        """What a rule found; without an outcome it could not be checked, which is critical."""
        if outcome is None:
            rows = len(self.frame)
            message = f"not checked: {self.fault(rule)}."
            return RuleResult(rule, False, "critical", rows, rows, message, np.arange(rows), ())
        rows, failing = len(outcome.evaluated), len(outcome.failing)
        positions = outcome.failing[outcome.failing < len(self.frame)][:EXAMPLES]
        shown = tuple(self._examples(rule, positions)) if len(positions) else ()
        if not rows:
            message = NOTHING
        elif not failing:
            message = f"{rule.statement}: {rows} of {rows} rows."
        else:
            first = f", first: {in_words(shown[0])}" if shown else ""
            message = f"{rule.statement}: {failing} of {rows} rows failed{first}."
        return RuleResult(rule, not failing, rule.severity, rows, failing, message, outcome.failing, shown)

    def _examples(self, rule: Rule, positions: Positions) -> Iterator[Example]:
        """Key, the columns the rule reads, and what was measured, of some rows."""
        rows = self.frame.iloc[positions]
        columns = {
            name: rows[name] for name in dict.fromkeys((*self.suite.key, *rule.columns)) if name in rows
        }
        if rule.measure:
            columns["measured"] = self.checkable[rule.name][1].iloc[positions]
        for values in zip(*columns.values(), strict=True):
            yield {name: _plain(value) for name, value in zip(columns, values, strict=True)}


def run_suite(frame: pd.DataFrame, suite: Suite, tables: Tables | None = None) -> SuiteResult:
    """Check every rule of the suite on the frame; `tables` holds the other tables its rules read.

    A rule whose columns are missing fails, critically. No file is written, nothing is sent anywhere.
    """
    return run_suites([(frame, suite, tables or {})])[0]


def run_suites(checked: Sequence[tuple[pd.DataFrame, Suite, Tables]]) -> list[SuiteResult]:
    """The same for many tables, together."""
    jobs = [Job(frame.reset_index(drop=True), suite, tables) for frame, suite, tables in checked]
    found = iter(outcomes([item for job in jobs for item in job.checkable.values()]))
    by_job = [{name: next(found) for name in job.checkable} for job in jobs]
    return [
        SuiteResult(
            job.suite,
            len(job.frame),
            tuple(job.result(rule, outcome.get(rule.name)) for rule in job.suite.rules),
        )
        for job, outcome in zip(jobs, by_job, strict=True)
    ]


def run_by_row(frame: pd.DataFrame, suite: Suite) -> list[tuple[RuleResult, ...]]:
    """The same for a frame whose rows are about different things: what every rule found on each row."""
    job = Job(frame.reset_index(drop=True), suite, {})
    found = dict(zip(job.checkable, outcomes(list(job.checkable.values())), strict=True))
    return [
        tuple(job.result(rule, found[rule.name].at(row)) for rule in suite.rules) for row in range(len(frame))
    ]


def in_words(example: Example) -> str:
    """A row in a message: each name with its value."""
    return ", ".join(f"{name} {value}" for name, value in example.items())


def _plain(value: object) -> object:
    """A value JSON and a person can read; a date without its midnight, infinity in words."""
    if isinstance(value, str | bool | np.bool_):
        return value if isinstance(value, str) else bool(value)
    if pd.isna(value):  # type: ignore[call-overload]  # any object may come
        return None
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, int | float | np.number):
        number = float(value)
        return number if math.isfinite(number) else "not known"
    return str(value)
