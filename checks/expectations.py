"""How Great Expectations is called: the only module that does.

An expectation costs about 10 ms whatever the size of the frame, so the rules of many tables are checked together: the
values of all of them in one frame of numbers, each with its limits, and one of texts.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.rules import LARGEST, Rule

if TYPE_CHECKING:
    from great_expectations.core.batch_definition import BatchDefinition

Positions = npt.NDArray[np.int64]
_A_ABOVE_B = "ExpectColumnPairValuesAToBeGreaterThanB"
_IN_SET = "ExpectColumnValuesToBeInSet"


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
    for are_texts, check in ((False, _failing_numbers), (True, _failing_texts)):
        chosen = [n for n, (rule, _) in enumerate(checked) if (rule.allowed is not None) == are_texts]
        if not sum(len(evaluated[n]) for n in chosen):
            continue
        owner = np.repeat(chosen, [len(evaluated[n]) for n in chosen])
        at = np.concatenate([evaluated[n] for n in chosen])
        kind = object if are_texts else "float64"
        values = np.concatenate([checked[n][1].iloc[evaluated[n]].to_numpy(dtype=kind) for n in chosen])
        broken = check([rule for rule, _ in checked], owner, values)
        for n in np.unique(owner[broken]):
            failing[n] = at[broken][owner[broken] == n]
    return [Outcome(at, wrong) for at, wrong in zip(evaluated, failing, strict=True)]


def _failing_numbers(rules: Sequence[Rule], owner: Positions, values: np.ndarray) -> Positions:
    low = np.array([-LARGEST if rule.minimum is None else rule.minimum for rule in rules])
    high = np.array([LARGEST if rule.maximum is None else rule.maximum for rule in rules])
    frame = pd.DataFrame({"number": values, "low": low[owner], "high": high[owner]})
    return _unexpected(
        frame,
        (_A_ABOVE_B, {"column_A": "number", "column_B": "low", "or_equal": True}),
        (_A_ABOVE_B, {"column_A": "high", "column_B": "number", "or_equal": True}),
    )


def _failing_texts(rules: Sequence[Rule], owner: Positions, values: np.ndarray) -> Positions:
    """Each different text of a rule is checked once."""
    frame = pd.DataFrame({"owner": owner, "text": values.astype(str)})
    distinct = frame.drop_duplicates(ignore_index=True)
    labels = pd.DataFrame({"label": distinct["owner"].astype(str) + "=" + distinct["text"]})
    allowed = [f"{n}={text}" for n, rule in enumerate(rules) for text in rule.allowed or ()]
    wrong = distinct.iloc[_unexpected(labels, (_IN_SET, {"column": "label", "value_set": allowed}))]
    found = frame.merge(wrong.assign(is_wrong=True), how="left")["is_wrong"]
    return np.flatnonzero(found.notna().to_numpy())


def _unexpected(frame: pd.DataFrame, *expected: tuple[str, dict[str, Any]]) -> Positions:
    """Rows of a frame that break one of the expectations. Raises RuntimeError when one could not be checked."""
    import great_expectations as gx

    suite = gx.ExpectationSuite(
        name="rules",
        expectations=[getattr(gx.expectations, kind)(**arguments) for kind, arguments in expected],
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
