"""Label continuity: what may happen from one row of `regime` to the next, but would be a surprise.

Belongs here: warnings that compare a row with the one before. Does not belong here: moves the method forbids
(`regime.py`), rows published before (`checks/audits/immutability.py`).
"""

from __future__ import annotations

import pandas as pd

from checks.suites.measures import Tables, flag, row_before, step_size, truth
from checks.suites.rules import Rule, never, within

LARGEST_SCORE_STEP = (
    0.25  # since 1995 the score moved by at most 0.12 in the sample, 0.22 on real figures (2020-03)
)
LARGEST_COVERAGE_FALL = 0.1  # less than the weight of the smallest block
_INPUTS = "Compare the evidence of the two rows: a real shock moves several components, a wrong figure one."


def continuity_rules() -> tuple[Rule, ...]:
    """Score, state and coverage against the row before; all of them warn."""
    return (
        within(
            "bubble_score__step",
            ("as_of_date", "bubble_score"),
            lambda f, _: step_size(f, "bubble_score"),
            maximum=LARGEST_SCORE_STEP,
            severity="warning",
            statement="the score moves by no more than 0.25 between two rows",
            what_to_do=_INPUTS,
        ),
        never(
            "condition_state__no_leap",
            ("as_of_date", "condition_state"),
            _leap,
            severity="warning",
            statement="between a bubble and a depression lies a month of something else",
            what_to_do=_INPUTS,
        ),
        within(
            "coverage__not_fallen",
            ("as_of_date", "coverage"),
            _fall_of_newest,
            maximum=LARGEST_COVERAGE_FALL,
            severity="warning",
            statement="the newest row rests on no less than the one before",
            what_to_do="Look which component became absent, and why its series brought nothing.",
        ),
    )


def _leap(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    ends = {"bubble", "depression"}
    now, before = frame["condition_state"], row_before(frame, "condition_state")
    return flag(now.isin(ends) & before.isin(ends) & truth(now != before))


def _fall_of_newest(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    fall = row_before(frame, "coverage") - frame["coverage"]
    return fall.where(frame["as_of_date"] == frame["as_of_date"].max())
