"""Rules of `reference_values`: cited figures are of the past.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import days_between
from checks.suites.rules import Rule, within

TABLE = "reference_values"


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """A cited figure was known when the ledger was last checked."""
    checked = pd.Timestamp(catalog.policy_events.last_checked)
    return (
        within(
            "as_of__not_after_last_check",
            ("as_of",),
            lambda f, _: days_between(f["as_of"], pd.Series(checked, f.index)),
            minimum=0,
            severity="warning",
            statement=f"the figure was cited by {checked.date()}, when sources were last looked at",
            what_to_do="Correct the date in reference_values.toml, or last_checked in policy_events.toml.",
        ),
    )
