"""Rules of `policy_events`: when an announcement counts.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import days_between, differs, flag, only_where, truth
from checks.suites.rules import Rule, never, within

TABLE = "policy_events"
_LEDGER = "Correct the entry in assets/catalog/policy_events.toml."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Directions, order of the dates, the day each announcement counts from."""
    horizon = catalog.method.stance.announcement_horizon_days
    return (
        within(
            "direction__minus_one_to_one",
            ("direction",),
            minimum=-1,
            maximum=1,
            statement="a direction is -1, 0 or +1",
            what_to_do=_LEDGER,
        ),
        never(
            "direction__of_balance_sheet_events_only",
            ("direction", "kind"),
            lambda f, _: only_where(f["direction"], f["kind"] == "balance_sheet"),
            statement="balance-sheet events have a direction, rate decisions none",
            what_to_do=_LEDGER,
        ),
        within(
            "effective_on__not_before_announcement",
            ("announced_on", "effective_on"),
            lambda f, _: days_between(f["announced_on"], f["effective_on"]),
            minimum=0,
            statement="nothing takes effect before it is announced",
            what_to_do=_LEDGER,
        ),
        never(
            "counts_from_date__announcement_or_effect",
            ("counts_from_date", "announced_on", "effective_on", "changes_direction"),
            lambda f, _: differs(f["counts_from_date"], _counts_from(f, horizon)),
            statement=f"a decision counts from its announcement when it takes effect within {horizon} days",
            what_to_do="Materialise derived/policy_events again; the rule stands in assets/compute/stance.py.",
        ),
        never(
            "changes_direction__dated_balance_sheet_events_only",
            ("changes_direction", "is_dated", "kind"),
            lambda f, _: flag(
                truth(f["changes_direction"]) & ~(truth(f["is_dated"]) & (f["kind"] == "balance_sheet"))
            ),
            statement="only a dated balance-sheet event sets the direction",
            what_to_do=_LEDGER,
        ),
    )


def _counts_from(frame: pd.DataFrame, horizon_days: int) -> pd.Series:
    effective = frame["effective_on"].fillna(frame["announced_on"])
    soon = days_between(frame["announced_on"], effective) <= horizon_days
    return frame["announced_on"].where(soon, effective).where(truth(frame["changes_direction"]))
