"""Rules of `score_attribution`: the change of the score is explained without a rest.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import Tables, beside, distance, once_per
from checks.suites.rules import Rule, identity, within

TABLE = "score_attribution"
EXACT = 1e-12
_TOGETHER = "Score and attribution come from different runs: materialise regime/regime again."
_AGAIN = "Look at assets/compute/diagnostics/attribution.py: the split must add up."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Sums over the components of a date, and within a row."""
    return (
        within(
            "contribution__sums_to_bubble_score",
            ("as_of_date", "contribution", "regime.bubble_score"),
            lambda f, t: _off_the_score(f, t, "contribution"),
            maximum=EXACT,
            statement="the contributions of a date add up to its score",
            what_to_do=_TOGETHER,
        ),
        within(
            "contribution_before__sums_to_earlier_score",
            ("as_of_date", "compared_with_date", "contribution_before", "regime.bubble_score"),
            _off_the_earlier_score,
            maximum=EXACT,
            statement="the contributions before add up to the score of the date compared with",
            what_to_do=_TOGETHER,
        ),
        identity(
            "contribution_change__is_the_difference",
            ("contribution_change", "contribution", "contribution_before"),
            lambda f, _: (f["contribution_change"], f["contribution"] - f["contribution_before"]),
            tolerance=EXACT,
            statement="the change is the difference of the two contributions",
            what_to_do=_AGAIN,
        ),
        identity(
            "contribution_change__effects_add_up",
            ("contribution_change", "score_effect", "weight_effect"),
            lambda f, _: (f["contribution_change"], f["score_effect"] + f["weight_effect"]),
            tolerance=EXACT,
            statement="score effect and weight effect add up to the change",
            what_to_do=_AGAIN,
        ),
    )


def _off_the_score(frame: pd.DataFrame, tables: Tables, column: str) -> pd.Series:
    total = frame["as_of_date"].map(frame.groupby("as_of_date")[column].sum())
    return once_per(frame, ["as_of_date"], distance(total, beside(frame, tables, "regime.bubble_score")))


def _off_the_earlier_score(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    earlier = frame.assign(as_of_date=frame["compared_with_date"])
    total = frame["as_of_date"].map(frame.groupby("as_of_date")["contribution_before"].sum())
    return once_per(frame, ["as_of_date"], distance(total, beside(earlier, tables, "regime.bubble_score")))
