"""The leak audit of the as-of tables: every figure was public on its date.

Belongs here: the rule built on `provenance`. Does not belong here: the audit of the evidence, which carries its own
days of publication (`checks/suites/regime_evidence.py`).

It fails closed: a figure without a day of publication counts as leaked, and so does a table without provenance.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from checks.suites.measures import Tables, days_between
from checks.suites.rules import Rule, within

PROVENANCE = "provenance"
_READ = ("table_name", "column_name", "as_of_date", "available_on")


def leak_rule(table: str) -> Rule:
    """For each row, the most days by which one of its figures became public after the date: none may."""

    def days_late(frame: pd.DataFrame, tables: Tables) -> pd.Series:
        known = tables[PROVENANCE]
        known = known[known["table_name"] == table].drop_duplicates(["column_name", "as_of_date"])
        if known.empty:
            return pd.Series(np.inf, frame.index)
        wide = known.pivot(index="as_of_date", columns="column_name", values="available_on")
        wide = wide.reindex(frame["as_of_date"]).set_axis(frame.index)
        columns = [name for name in wide.columns if name in frame]
        late = [days_between(frame["as_of_date"], wide[name]).fillna(np.inf) for name in columns]
        held = [number.where(frame[name].notna()) for name, number in zip(columns, late, strict=True)]
        return pd.concat(held, axis=1).max(axis=1)

    return within(
        "table__no_figure_of_the_future",
        ("as_of_date", *(f"{PROVENANCE}.{name}" for name in _READ)),
        days_late,
        maximum=0,
        statement="every figure of a row was public on its date, and the day it became so is known",
        what_to_do="Do not publish. Find the column in provenance: its input was read past the date.",
    )
