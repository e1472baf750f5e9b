"""Rules of `forward_returns_by_spell`: the spells are those of the published label.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import Tables, differs, flag
from checks.suites.rules import Rule, never

TABLE = "forward_returns_by_spell"
_TOGETHER = "Materialise regime/regime and regime/forward_returns again: they come from different runs."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Spells as in `regime`; no return from the future."""
    return (
        never(
            "regime__of_its_first_month_end",
            ("spell_start_date", "regime", "regime.as_of_date", "regime.regime"),
            lambda f, t: differs(f["regime"], _label_on(f["spell_start_date"], t)),
            statement="the label is the published one of the spell's first month-end",
            what_to_do=_TOGETHER,
        ),
        never(
            "spell_start_date__a_change_of_label",
            ("spell_start_date", "regime", "regime.as_of_date", "regime.regime"),
            lambda f, t: flag(_label_on(f["spell_start_date"] - pd.offsets.MonthEnd(1), t) == f["regime"]),
            statement="the month-end before a spell has another label",
            what_to_do=_TOGETHER,
        ),
        never(
            "return_pct__not_from_the_future",
            ("spell_start_date", "horizon_months", "return_pct", "regime.as_of_date"),
            _from_the_future,
            statement="no return ends after the newest month-end",
            what_to_do="Look at assets/compute/diagnostics/returns.py.",
        ),
    )


def _label_on(dates: pd.Series, tables: Tables) -> pd.Series:
    labels = tables["regime"].drop_duplicates("as_of_date").set_index("as_of_date")["regime"]
    return pd.Series(dates.map(labels), index=dates.index)


def _from_the_future(frame: pd.DataFrame, tables: Tables) -> pd.Series:
    newest = tables["regime"]["as_of_date"].max()
    start, horizon = frame["spell_start_date"], frame["horizon_months"].astype("float64")
    months = (newest.year - start.dt.year) * 12 + newest.month - start.dt.month
    return flag(months < horizon, judged=frame["return_pct"].notna())
