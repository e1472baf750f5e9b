"""The rules of a suite as expectations, as few of them as possible.

Belongs here: stacking rules, handing them over, one verdict per rule. Does not belong here: rules, messages, how Great
Expectations is called (`validation.py`).

An expectation costs about 10 ms whatever the size of the frame (20 ms when it also lists its failing rows), and a table
has up to a hundred rules. So the rules that judge value by value are stacked: one long frame holds the values of all of
them with the limits of each beside, and four expectations judge it. Only what fails is asked for its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from checks.suites.rules import BETWEEN, IN_SET, LARGEST, NOT_NULL, Rule
from checks.validation import Outcome, Positions, Spec, validate

NO_ROWS: Positions = np.array([], dtype="int64")
A_ABOVE_B = "ExpectColumnPairValuesAToBeGreaterThanB"
_STACKED = {
    BETWEEN: {"column", "min_value", "max_value"},
    NOT_NULL: {"column"},
    IN_SET: {"column", "value_set"},
}


@dataclass(frozen=True)
class Judged:
    """A rule and the values it judges, one per row of the frame; None when it judges columns of the frame itself."""

    rule: Rule
    values: pd.Series | None


@dataclass(frozen=True)
class Verdict:
    """Rows there was something to judge on, positions of those that failed, what was found, what stopped it."""

    passed: bool
    evaluated_rows: int
    positions: Positions = field(default_factory=lambda: NO_ROWS)
    observed: object = None
    error: str | None = None


def verdicts(frame: pd.DataFrame, judged: Sequence[Judged]) -> list[Verdict]:
    """One verdict per rule, in order. Raises KeyError for an expectation that does not exist."""
    stacked = [n for n, item in enumerate(judged) if _is_stacked(item.rule)]
    alone = [n for n in range(len(judged)) if n not in set(stacked)]
    found = dict(zip(stacked, _judge_stacked(frame, [judged[n] for n in stacked]), strict=True))
    found |= dict(zip(alone, _judge_alone(frame, [judged[n].rule for n in alone]), strict=True))
    return [found[n] for n in range(len(judged))]


def _is_stacked(rule: Rule) -> bool:
    return rule.expectation in _STACKED and set(rule.arguments) <= _STACKED[rule.expectation]


def _judge_alone(frame: pd.DataFrame, rules: Sequence[Rule]) -> list[Verdict]:
    specs = [(rule.expectation, dict(rule.arguments)) for rule in rules]
    out = []
    for rule, outcome in zip(rules, _validate(frame, specs), strict=True):
        if outcome.error:
            out.append(Verdict(False, len(frame), error=outcome.error))
        else:
            read = [column for column in rule.columns if column in frame]
            evaluated = int(frame[read].notna().all(axis=1).sum()) if read else len(frame)
            out.append(Verdict(outcome.success, evaluated, outcome.positions, outcome.observed))
    return out


def _judge_stacked(frame: pd.DataFrame, judged: Sequence[Judged]) -> list[Verdict]:
    """Four expectations over the values of all rules; a rule fails where one of them finds one of its values."""
    values = [_values(frame, item) for item in judged]
    rows = [_rows(item.rule, column) for item, column in zip(judged, values, strict=True)]
    counts = [len(row) for row in rows]
    if not sum(counts):
        return [Verdict(True, 0) for _ in judged]
    rule, row = np.repeat(np.arange(len(judged)), counts), np.concatenate(rows)
    stack = _stack([item.rule for item in judged], values, rows, rule)
    allowed = [f"{n}={v}" for n, item in enumerate(judged) for v in item.rule.arguments.get("value_set", ())]
    ordered = {"or_equal": True, "ignore_row_if": "either_value_is_missing"}
    specs: list[Spec] = [
        (NOT_NULL, {"column": "known"}),
        (A_ABOVE_B, {"column_A": "number", "column_B": "lower", **ordered}),
        (A_ABOVE_B, {"column_A": "upper", "column_B": "number", **ordered}),
        (IN_SET, {"column": "label", "value_set": allowed}),
    ]
    outcomes = _validate(stack, specs)
    if errors := [outcome.error for outcome in outcomes if outcome.error]:
        raise RuntimeError(f"the stacked rules could not be judged: {errors[0]}")  # our frame, our fault
    failing = np.unique(np.concatenate([outcome.positions for outcome in outcomes]))
    found = (
        [row[failing[rule[failing] == n]] for n in range(len(judged))]
        if len(failing)
        else [NO_ROWS] * len(judged)
    )
    return [Verdict(not len(at), count, at) for at, count in zip(found, counts, strict=True)]


def _values(frame: pd.DataFrame, item: Judged) -> pd.Series:
    return frame[item.rule.arguments["column"]] if item.values is None else item.values


def _rows(rule: Rule, values: pd.Series) -> Positions:
    """Rows to judge; a value that is not there is judged by the not-null rule only."""
    return (
        np.arange(len(values)) if rule.expectation == NOT_NULL else np.flatnonzero(values.notna().to_numpy())
    )


def _stack(
    rules: Sequence[Rule], values: Sequence[pd.Series], rows: Sequence[Positions], rule: Positions
) -> pd.DataFrame:
    """One row per value: what each kind of expectation judges it by, and nothing for the other kinds."""
    known, number, label = (
        np.ones(len(rule)),
        np.full(len(rule), np.nan),
        np.full(len(rule), None, dtype=object),
    )
    start = 0
    for n, (one, column, at) in enumerate(zip(rules, values, rows, strict=True)):
        here = slice(start, start := start + len(at))
        if one.expectation == NOT_NULL:
            known[here] = np.where(column.notna(), 1.0, np.nan)
        elif one.expectation == BETWEEN:
            number[here] = column.to_numpy(dtype="float64", na_value=np.nan)[at]
        else:
            label[here] = [f"{n}={value}" for value in column.to_numpy(dtype=object)[at]]
    lower = np.array([one.arguments.get("min_value", -LARGEST) for one in rules])[rule]
    upper = np.array([one.arguments.get("max_value", LARGEST) for one in rules])[rule]
    return pd.DataFrame({"known": known, "number": number, "lower": lower, "upper": upper, "label": label})


def _validate(frame: pd.DataFrame, specs: Sequence[Spec]) -> list[Outcome]:
    """One outcome per expectation: its success at first, and only where it failed its rows too."""
    if not specs:
        return []
    outcomes = validate(frame, specs, lists_rows=False)
    failed = [n for n, outcome in enumerate(outcomes) if not outcome.success]
    again = validate(frame, [specs[n] for n in failed], lists_rows=True) if failed else []
    for n, outcome in zip(failed, again, strict=True):
        outcomes[n] = outcome
    return outcomes
