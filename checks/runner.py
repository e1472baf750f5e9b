"""Judging a frame by a suite, with Great Expectations.

Belongs here: getting the columns ready, handing the rules to the judge, and what each of them came to.
Does not belong here: the rules (`checks/suites`, `checks/structural.py`), how Great Expectations is called
(`checks/expectations.py`), Dagster (`checks/factories.py`), where results are kept (`checks/results.py`).

Nothing is caught here: a crash of ours stays a crash. What a rule cannot be judged on is found before it is judged.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from checks.expectations import NO_ROWS, Judged, Verdict, verdicts
from checks.suites.measures import Tables, beside
from checks.suites.rules import Rule, Severity, Suite
from checks.suites.types import misfits, settled
from checks.validation import Positions

EXAMPLES = 5
NOTHING = "nothing to judge."  # never to be taken for judged and found right
Example = Mapping[str, object]


@dataclass(frozen=True)
class RuleResult:
    """What one rule came to.

    `evaluated_rows` counts the rows there was something to judge on, `failing_rows` those that broke the rule, both in
    rows; `positions` are the failing rows of the frame, `examples` at most five of them: key, columns read, measure.
    """

    rule: Rule
    passed: bool
    severity: Severity
    evaluated_rows: int
    failing_rows: int
    message: str
    positions: Positions
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class SuiteResult:
    """What all rules of one table came to, in the order of the suite."""

    suite: Suite
    rows: int
    results: tuple[RuleResult, ...]

    @property
    def table(self) -> str:
        """Name of the judged table."""
        return self.suite.table

    @property
    def failed(self) -> tuple[RuleResult, ...]:
        """Rules that do not hold, critical ones first."""
        return tuple(
            sorted((r for r in self.results if not r.passed), key=lambda r: r.severity != "critical")
        )

    @property
    def is_held(self) -> bool:
        """True when a critical rule does not hold: nothing may be published."""
        return any(result.severity == "critical" for result in self.failed)

    @property
    def sentence(self) -> str:
        """One line: how many rules hold, and the first that does not."""
        held, failed = len(self.results) - len(self.failed), self.failed
        if not failed:
            return f"{self.table}: all {held} rules hold on {self.rows} rows."
        more = f" ({len(failed) - 1} more do not hold)" if len(failed) > 1 else ""
        return f"{self.table}: {failed[0].rule.name}: {failed[0].message}{more}"


@dataclass(frozen=True)
class _Frames:
    """The judged frame and those beside it in one representation per type, and why a column cannot be read."""

    own: pd.DataFrame
    beside: dict[str, pd.DataFrame]
    misfits: dict[str, pd.Series]
    missing: dict[str, str]
    mistyped: dict[str, str]

    def measured(self, rule: Rule) -> pd.Series | None:
        """What the rule judges, one per row; None when it judges columns as they are."""
        if rule.judges_type:
            return self.misfits[rule.columns[0]]
        return rule.measure(self.own, self.beside) if rule.measure else None

    def fault(self, rule: Rule) -> str | None:
        """What keeps the rule from being judged; its own type keeps a type rule from nothing."""
        faults = self.missing if rule.judges_type else self.missing | self.mistyped
        dates = (f"{column.split('.')[0]}.as_of_date" for column in rule.columns if "." in column)
        return next((faults[column] for column in (*rule.columns, *dates) if column in faults), None)


def run_suite(
    frame: pd.DataFrame, suite: Suite, tables: Tables | None = None, *, examples: int = EXAMPLES
) -> SuiteResult:
    """Judge every rule of the suite on the frame; `tables` holds the other tables its rules read.

    A rule whose columns are missing or wrongly typed has failed, critically, and says so. No file is written, nothing
    is sent anywhere. Raises KeyError for an expectation that Great Expectations does not have.
    """
    frame = frame.reset_index(drop=True)
    frames = _settle(frame, suite, tables or {})
    results: dict[str, RuleResult] = {}
    judged: list[Judged] = []
    for rule in suite.rules:
        if fault := frames.fault(rule):
            results[rule.name] = _not_judged(rule, fault, len(frame))
        elif frame.empty and rule.column_name != "table":
            results[rule.name] = _result(rule, Verdict(True, 0), [])
        else:
            judged.append(Judged(rule, frames.measured(rule)))
    for item, verdict in zip(judged, verdicts(frames.own, judged), strict=True):
        results[item.rule.name] = _result(
            item.rule, verdict, _examples(item, verdict, suite, frames, examples)
        )
    return SuiteResult(suite, len(frame), tuple(results[rule.name] for rule in suite.rules))


def run_by_row(frame: pd.DataFrame, suite: Suite) -> list[tuple[RuleResult, ...]]:
    """The same for a frame whose rows are about different things: for each row, what it came to by itself.

    All rows are judged together; each only where that cannot be done, as when a value of one row is of a wrong type.
    """
    frame = frame.reset_index(drop=True)
    together = run_suite(frame, suite, examples=len(frame))
    if any(len(result.examples) < result.failing_rows or not result.examples for result in together.failed):
        return [run_suite(frame.iloc[[n]], suite).results for n in range(len(frame))]
    return list(zip(*(_row_by_row(result, frame) for result in together.results), strict=True))


def _row_by_row(result: RuleResult, frame: pd.DataFrame) -> list[RuleResult]:
    """What a rule judged on all rows came to on each of them."""
    rule = result.rule
    named = [rule.arguments.get(name) for name in ("column", "column_A", "column_B")]
    read = [name for name in named if name in frame] or [name for name in rule.columns if name in frame]
    judged = frame[read].notna().all(axis=1).to_numpy()
    failed = {int(n): example for n, example in zip(result.positions, result.examples, strict=True)}
    return [
        _result(rule, Verdict(False, 1, np.array([0])), [failed[n]])
        if n in failed
        else _held(rule, judged[n])
        for n in range(len(frame))
    ]


def _held(rule: Rule, is_judged: np.bool_) -> RuleResult:
    """A rule that holds on a row, whatever it came to on others."""
    message = f"{rule.statement}." if is_judged else NOTHING
    return RuleResult(rule, True, rule.severity, int(is_judged), 0, message, NO_ROWS, ())


def _settle(frame: pd.DataFrame, suite: Suite, tables: Tables) -> _Frames:
    frames = _Frames(frame.copy(), {}, {}, {}, {})
    for name, declared in suite.types.items():
        table, _, column = name.rpartition(".")
        source = tables.get(table) if table else frame
        if source is None:
            frames.missing[name] = f"table {table} is missing"
        elif column not in source:
            frames.missing[name] = f"column {name} is missing"
        else:
            values = source[column]
            frames.misfits[name] = misfits(values, declared)
            target = (
                frames.beside.setdefault(table, pd.DataFrame(index=values.index)) if table else frames.own
            )
            if wrong := int(frames.misfits[name].sum()):
                frames.mistyped[name] = f"{wrong} values of column {name} are no {declared}"
            else:
                target[column] = settled(values, declared)
    return frames


def _not_judged(rule: Rule, fault: str, rows: int) -> RuleResult:
    message = f"not judged: {fault}."
    return RuleResult(rule, False, "critical", rows, rows, message, np.arange(rows), ())


def _result(rule: Rule, verdict: Verdict, examples: Sequence[Example]) -> RuleResult:
    severity = "critical" if verdict.error else rule.severity
    failing = len(verdict.positions)
    return RuleResult(
        rule,
        verdict.passed,
        severity,
        verdict.evaluated_rows,
        failing,
        _message(rule, verdict, examples),
        verdict.positions,
        tuple(examples),
    )


def _message(rule: Rule, verdict: Verdict, examples: Sequence[Example]) -> str:
    rows = verdict.evaluated_rows
    if verdict.error:
        return f"not judged: {verdict.error}"
    if verdict.passed and not rows and rule.column_name != "table":
        return NOTHING
    if verdict.passed:
        return f"{rule.statement}: {rows} of {rows} rows."
    if not len(verdict.positions):
        return f"{rule.statement}: not so, found {_short(verdict.observed)}."
    first = ", ".join(f"{name} {value}" for name, value in examples[0].items())
    return f"{rule.statement}: not so in {len(verdict.positions)} of {rows} rows, first: {first}."


def _examples(item: Judged, verdict: Verdict, suite: Suite, frames: _Frames, most: int) -> list[Example]:
    """The first failing rows: key, the columns the rule reads, what was measured."""
    if not len(verdict.positions):
        return []
    frame = frames.own.iloc[verdict.positions[:most]]
    names = [name for name in dict.fromkeys((*suite.key, *item.rule.columns)) if name in frame]
    columns = {name: frame[name] for name in names}
    if "as_of_date" in frame:
        foreign = [name for name in item.rule.columns if _is_one_per_date(name, frames.beside)]
        columns |= {name: beside(frame, frames.beside, name) for name in foreign}
    if item.values is not None and not item.rule.judges_type:
        columns["measured"] = item.values.iloc[verdict.positions[:most]]
    rows = zip(*columns.values(), strict=True)
    return [{name: _plain(value) for name, value in zip(columns, row, strict=True)} for row in rows]


def _is_one_per_date(name: str, tables: Tables) -> bool:
    """Whether another table has one such figure per date, to be shown beside a row."""
    table, _, column = name.rpartition(".")
    return bool(table) and column != "as_of_date" and tables[table]["as_of_date"].is_unique


def _plain(value: object) -> object:
    """A value JSON and a person can read; a date without its midnight, infinity in words."""
    if isinstance(value, str | bool | np.bool_):
        return value if isinstance(value, str) else bool(value)
    if pd.isna(value):  # type: ignore[call-overload]  # any object may be asked
        return None
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, int | float | np.number):
        number = float(value)
        return number if math.isfinite(number) else "only one of the two is there"
    return str(value)


def _short(observed: object) -> str:
    text = ", ".join(map(str, observed)) if isinstance(observed, list) else str(observed)
    return text if len(text) <= 300 else f"{text[:300]}..."
