"""Rules of `effective_weights`: shares add up, and the flag follows the limit.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import Tables, differs, once_per
from checks.suites.rules import Rule, never, within

TABLE = "effective_weights"
_AGAIN = "Look at assets/compute/diagnostics/weights.py."
_LEVEL = ["era", "level"]


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Sums over a level of an era; flags."""
    gap = catalog.method.robustness.effective_weight_gap
    return (
        *(
            within(
                f"{column}__sums_to_one",
                (*_LEVEL, column),
                lambda f, t, column=column: _off_one(f, t, column),  # type: ignore[misc]  # a third argument with a default
                maximum=1e-9,
                statement="the shares of a level add up to 1 in an era",
                what_to_do=_AGAIN,
            )
            for column in ("nominal_weight", "effective_weight", "covariance_share")
        ),
        never(
            "is_flagged__by_the_limit",
            ("is_flagged", "weight_difference"),
            lambda f, _: differs(f["is_flagged"], f["weight_difference"].abs() > gap),
            statement=f"an input is flagged when its weights differ by more than {gap:g}",
            what_to_do=_AGAIN,
        ),
    )


def _off_one(frame: pd.DataFrame, tables: Tables, column: str) -> pd.Series:
    """Distance of the sum from 1, once a level; nothing to judge where no share is known."""
    total = frame.groupby(_LEVEL)[column].transform(lambda values: values.sum(min_count=1))
    return once_per(frame, _LEVEL, (total - 1.0).abs())
