"""How Great Expectations is called: the only module that does.

An expectation costs about 10 ms whatever the size of the frame, so the rules of many tables are checked together: the
values of all of them in one frame of numbers, each with its limits.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.suites.rules import LARGEST, Rule

if TYPE_CHECKING:
    from great_expectations.core.batch_definition import BatchDefinition

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """Positions of the values a rule was checked on, and of those that broke it."""

    evaluated: Positions
    failing: Positions

    def at(self, row: int) -> Outcome:
        """The same of one row."""
        return Outcome(self.evaluated[self.evaluated == row], self.failing[self.failing == row])


def outcomes(checked: Sequence[tuple[Rule, pd.Series]]) -> list[Outcome]:
    """One outcome per rule and its values, in order; a missing value is not checked."""
    evaluated = [np.flatnonzero(values.notna().to_numpy()) for _, values in checked]
    failing: list[Positions] = [np.array([], dtype="int64")] * len(checked)
    owner = np.repeat(np.arange(len(checked)), [len(at) for at in evaluated])
    if len(owner):
        at = np.concatenate(evaluated)
        numbers = [
            _numbers(rule, values.iloc[rows]) for (rule, values), rows in zip(checked, evaluated, strict=True)
        ]
        low, high = np.array([_limits(rule) for rule, _ in checked]).T
        frame = pd.DataFrame({"number": np.concatenate(numbers), "low": low[owner], "high": high[owner]})
        broken = _unexpected(frame)
        for n in np.unique(owner[broken]):
            failing[n] = at[broken][owner[broken] == n]
    return [Outcome(rows, wrong) for rows, wrong in zip(evaluated, failing, strict=True)]


def _numbers(rule: Rule, values: pd.Series) -> np.ndarray:
    """What is limited: the value, or 1 for a text that is not in the rule's list."""
    if rule.allowed is None:
        return values.to_numpy(dtype="float64")
    return (~values.astype(str).isin(rule.allowed)).to_numpy(dtype="float64")


def _limits(rule: Rule) -> tuple[float, float]:
    if rule.allowed is not None:
        return 0.0, 0.0
    low = -LARGEST if rule.minimum is None else rule.minimum
    return low, LARGEST if rule.maximum is None else rule.maximum


def _unexpected(frame: pd.DataFrame) -> Positions:
    """Rows whose number is below `low` or above `high`. Raises RuntimeError when they could not be checked."""
    import great_expectations as gx

    at_least = gx.expectations.ExpectColumnPairValuesAToBeGreaterThanB  # type: ignore[attr-defined]
    suite = gx.ExpectationSuite(
        name="rules",
        expectations=[
            at_least(column_A="number", column_B="low", or_equal=True),
            at_least(column_A="high", column_B="number", or_equal=True),
        ],
    )
    batch = _any_frame().get_batch(batch_parameters={"dataframe": frame})
    found: list[int] = []
    for result in batch.validate(suite, result_format="COMPLETE").results:
        if "unexpected_index_list" not in result.result:
            raise RuntimeError(f"Great Expectations could not check the rules: {result.exception_info}")
        found += result.result["unexpected_index_list"] or []
    return np.unique(np.array(found, dtype="int64"))


@cache
def _any_frame() -> BatchDefinition:
    """The one batch definition of this process: any frame, in memory, without progress bars.

    The import of Great Expectations takes seconds and happens on first use.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # 1.24 sends nothing; a later version shall not start to
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    frames = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    return frames.add_batch_definition_whole_dataframe("whole")
