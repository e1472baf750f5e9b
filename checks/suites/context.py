"""Rules of `context`: shares that leave room for each other.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

from assets.catalog.models import Catalog
from checks.suites.rules import Rule, within

TABLE = "context"
TOP, BOTTOM = "net_worth_share_top_1_pct", "net_worth_share_bottom_50_pct"


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """The top and the bottom of one distribution."""
    return (
        within(
            f"{TOP}__leaves_room",
            (TOP, BOTTOM),
            lambda f, _: f[TOP] + f[BOTTOM],
            maximum=100,
            statement="two parts of all wealth are no more than all of it",
            what_to_do="Compare WFRBST01134 and WFRBSB50215 with the Board's Distributional Financial Accounts.",
        ),
    )
