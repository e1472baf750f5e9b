"""Rules of `forward_returns`: spells are counted before returns are read, and few spells have no interval.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

from assets.catalog.models import Catalog
from checks.suites.measures import flag
from checks.suites.rules import Rule, never

TABLE = "forward_returns"
_AGAIN = "Look at assets/compute/diagnostics/returns.py."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Counts within counts, intervals, order of the figures."""
    least = catalog.method.forward_returns.minimum_closed_spells
    return (
        never(
            "interval_low_pct__none_for_few_spells",
            ("interval_low_pct", "interval_high_pct", "closed_spells_measured"),
            lambda f, _: flag(
                (f["closed_spells_measured"] < least)
                & (f["interval_low_pct"].notna() | f["interval_high_pct"].notna())
            ),
            statement=f"no interval is given for fewer than {least} closed spells",
            what_to_do=_AGAIN,
        ),
        never(
            "closed_spells__within_spells",
            ("spells", "closed_spells", "closed_spells_measured"),
            lambda f, _: flag(
                (f["closed_spells"] > f["spells"])
                | (f["closed_spells"] < f["spells"] - 1)
                | (f["closed_spells_measured"] > f["closed_spells"])
            ),
            statement="all spells but at most one are closed, and no more are measured",
            what_to_do=_AGAIN,
        ),
        never(
            "overlapping_month_ends__fewer_than_measured",
            ("month_ends_measured", "overlapping_month_ends"),
            lambda f, _: flag(
                f["overlapping_month_ends"] >= f["month_ends_measured"], judged=f["month_ends_measured"] > 0
            ),
            statement="at least one window stands by itself",
            what_to_do=_AGAIN,
        ),
        never(
            "mean_return_pct__between_lowest_and_highest",
            ("mean_return_pct", "median_return_pct", "lowest_return_pct", "highest_return_pct"),
            lambda f, _: flag(
                ~f[["mean_return_pct", "median_return_pct"]]
                .apply(
                    lambda column: column.between(
                        f["lowest_return_pct"] - 1e-9, f["highest_return_pct"] + 1e-9
                    )
                )
                .all(axis=1),
                judged=f["mean_return_pct"].notna(),
            ),
            statement="mean and median lie between the lowest and the highest return",
            what_to_do=_AGAIN,
        ),
        never(
            "interval_low_pct__below_high",
            ("interval_low_pct", "interval_high_pct"),
            lambda f, _: flag(f["interval_low_pct"] > f["interval_high_pct"]),
            statement="an interval runs from low to high",
            what_to_do=_AGAIN,
        ),
    )
