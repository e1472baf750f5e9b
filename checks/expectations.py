"""How Great Expectations is called: the only module that does.

Belongs here: the context, the batch, the expectations and their results. Does not belong here: rules, messages.

An expectation costs about 10 ms whatever the size of the frame (20 ms when it also lists its failing rows), and a table
has up to a hundred rules. So the rules that judge value by value are stacked: one long frame holds the values of all of
them with the limits of each beside, and four expectations judge it. Only what fails is asked for its rows.
Importing Great Expectations takes seconds and happens on first use.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.suites.rules import BETWEEN, IN_SET, LARGEST, NOT_NULL, Rule

if TYPE_CHECKING:
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult as Result

Positions = npt.NDArray[np.int64]
Spec = tuple[str, dict[str, Any]]  # an expectation and its arguments
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
    for rule, result in zip(rules, _validate(frame, specs), strict=True):
        if error := _error(result):
            out.append(Verdict(False, len(frame), error=error))
        else:
            read = [column for column in rule.columns if column in frame]
            evaluated = int(frame[read].notna().all(axis=1).sum()) if read else len(frame)
            observed = result.result.get("observed_value")
            out.append(Verdict(bool(result.success), evaluated, _failing(result), observed))
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
    results = _validate(stack, specs)
    if errors := [error for result in results if (error := _error(result))]:
        raise RuntimeError(f"the stacked rules could not be judged: {errors[0]}")  # our frame, our fault
    failing = np.unique(np.concatenate([_failing(result) for result in results]))
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


def _validate(frame: pd.DataFrame, specs: Sequence[Spec]) -> list[Result]:
    """One result per expectation: its success at first, and only where it failed its rows too."""
    if not specs:
        return []
    results = _run(frame, specs, {"result_format": "BOOLEAN_ONLY"})
    failed = [n for n, result in enumerate(results) if not result.success]
    again = _run(frame, [specs[n] for n in failed], {"result_format": "COMPLETE"}) if failed else []
    for n, result in zip(failed, again, strict=True):
        results[n] = result
    return results


def _run(frame: pd.DataFrame, specs: Sequence[Spec], form: dict[str, str]) -> list[Result]:
    import great_expectations as gx

    kinds = vars(gx.expectations)
    # a row number in `meta` keeps two equal expectations apart, which a suite would otherwise refuse
    expectations = [kinds[kind](**arguments, meta={"number": n}) for n, (kind, arguments) in enumerate(specs)]
    batch = _whole_frame().get_batch(batch_parameters={"dataframe": frame})
    outcome = batch.validate(gx.ExpectationSuite(name="rules", expectations=expectations), result_format=form)
    by_number = {r.expectation_config.meta["number"]: r for r in outcome.results if r.expectation_config}
    return [by_number[n] for n in range(len(specs))]


@cache
def _whole_frame() -> BatchDefinition:
    """The one batch definition of this process: any frame, in memory, without progress bars."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # 1.24 sends nothing; a later version shall not start to
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    frames = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    return frames.add_batch_definition_whole_dataframe("whole")


def _failing(result: Result) -> Positions:
    return np.asarray(result.result.get("unexpected_index_list") or [], dtype="int64")


def _error(result: Result) -> str | None:
    """What stopped an expectation from judging, in one line; None when it judged."""
    info = result.exception_info or {}
    found = [info] if "raised_exception" in info else list(info.values())
    messages = [str(item["exception_message"]) for item in found if item and item["raised_exception"]]
    return " ".join(messages[0].split()) if messages else None
