"""Rules of `late_figures`: figures that were public in time and arrived too late for a live row.

Belongs here: rules about this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

from assets.catalog.models import Catalog
from checks.suites.measures import days_between, distance, flag
from checks.suites.rules import Rule, never, within

TABLE = "late_figures"


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """What makes a figure late: public by the date, captured after the live row was frozen."""
    return (
        within(
            "realtime_start__not_after_as_of",
            ("as_of_date", "realtime_start"),
            lambda f, _: days_between(f["realtime_start"], f["as_of_date"]),
            minimum=0,
            statement="the figure was public on the date",
            what_to_do="A figure of the future is no late figure: look at the query in assets/warehouse.",
        ),
        never(
            "captured_at__after_freezing",
            ("captured_at", "captured_until"),
            lambda f, _: flag(~(f["captured_at"] > f["captured_until"])),
            statement="the figure was captured after the row was frozen",
            what_to_do="A figure that was captured in time belongs in the row: look at the query in assets/warehouse.",
        ),
        never(
            "value_late__another_than_used",
            ("value_late", "value_used"),
            lambda f, _: flag(distance(f["value_late"], f["value_used"]).fillna(0) == 0),
            statement="the late figure differs from the one used",
            what_to_do="A figure equal to the one used is not late: look at the query in assets/warehouse.",
        ),
    )
