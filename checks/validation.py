"""How Great Expectations is called: the only module that does.

Belongs here: the context, the batch, the expectations and the result of each, in plain values. Does not belong here:
rules, stacking them (`expectations.py`).

The import of Great Expectations takes seconds and happens on first use.
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

if TYPE_CHECKING:
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult as Result

Positions = npt.NDArray[np.int64]
Spec = tuple[str, dict[str, Any]]  # an expectation and its arguments


@dataclass(frozen=True)
class Outcome:
    """What an expectation came to: the rows that failed it are listed only where they were asked for."""

    success: bool
    positions: Positions
    observed: object
    error: str | None


def validate(frame: pd.DataFrame, specs: Sequence[Spec], *, lists_rows: bool) -> list[Outcome]:
    """One outcome per expectation, in order. Raises KeyError for an expectation that does not exist."""
    import great_expectations as gx

    kinds = vars(gx.expectations)
    # a row number in `meta` keeps two equal expectations apart, which a suite would otherwise refuse
    expectations = [kinds[kind](**arguments, meta={"number": n}) for n, (kind, arguments) in enumerate(specs)]
    batch = _whole_frame().get_batch(batch_parameters={"dataframe": frame})
    form = {"result_format": "COMPLETE" if lists_rows else "BOOLEAN_ONLY"}
    judged = batch.validate(gx.ExpectationSuite(name="rules", expectations=expectations), result_format=form)
    by_number = {r.expectation_config.meta["number"]: r for r in judged.results if r.expectation_config}
    return [_outcome(by_number[n]) for n in range(len(specs))]


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


def _outcome(result: Result) -> Outcome:
    positions = np.asarray(result.result.get("unexpected_index_list") or [], dtype="int64")
    return Outcome(bool(result.success), positions, result.result.get("observed_value"), _error(result))


def _error(result: Result) -> str | None:
    """What stopped an expectation from judging, in one line; None when it judged."""
    info = result.exception_info or {}
    found = [info] if "raised_exception" in info else list(info.values())
    messages = [str(item["exception_message"]) for item in found if item and item["raised_exception"]]
    return " ".join(messages[0].split()) if messages else None
