"""Rules of `provenance`: where a figure is, its day of publication is, and it is not after the row's date.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration; the audit of each
as-of table against its provenance (`checks/audits/leak.py`).
"""

from __future__ import annotations

import numpy as np

from assets.catalog.models import Catalog
from checks.suites.measures import days_between, only_where
from checks.suites.rules import Rule, never, within

TABLE = "provenance"
_LEAK = "Do not publish. Find how the column's input was read past the date."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """The leak audit, and a reason for every absence."""
    return (
        within(
            "available_on__not_after_as_of",
            ("as_of_date", "available_on", "absent_reason"),
            lambda f, _: (
                days_between(f["as_of_date"], f["available_on"])
                .fillna(np.inf)
                .where(f["absent_reason"].isna())
            ),
            maximum=0,
            statement="every figure was public on its date, and the day it became so is known",
            what_to_do=_LEAK,
        ),
        never(
            "observation_date__where_a_figure_is",
            ("observation_date", "absent_reason"),
            lambda f, _: only_where(f["observation_date"], f["absent_reason"].isna()),
            statement="a figure says what it is about, an absence why it is one",
            what_to_do="Materialise the derived table again; if it stays, its readings have changed.",
        ),
    )
