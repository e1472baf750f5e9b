"""Rules of every table whose rows carry their own provenance: nothing was read past the date.

Belongs here: the audit such tables share. Does not belong here: a table's own judgement, tables with provenance beside
them (`checks/audits/leak.py`). It fails closed: a figure whose day of publication is not known counts as leaked.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import days_between, flag, once_per, only_where
from checks.suites.rules import Rule, never, within

_LEAK = "Do not publish. Find the input whose realtime_start is after the date and how it was read."
_AGAIN = "Materialise the table again; if it stays, its module in assets/compute/tables has changed."


def provenance_rules(catalog: Catalog, value: str, item: str) -> tuple[Rule, ...]:
    """`value` names the figure a row is about, `item` what a date has one row of each of."""
    return (
        within(
            "available_on__not_after_as_of",
            ("as_of_date", "available_on", value),
            lambda f, _: (
                days_between(f["as_of_date"], f["available_on"]).fillna(np.inf).where(f[value].notna())
            ),
            maximum=0,
            statement="every figure was public on its date, and the day it became so is known",
            what_to_do=_LEAK,
        ),
        never(
            "absent_reason__where_no_figure_is",
            ("absent_reason", value),
            lambda f, _: only_where(f["absent_reason"], f[value].isna()),
            statement="an absent figure says why it is absent, and only such a figure",
            what_to_do=_AGAIN,
        ),
        never(
            f"{item}__all_on_every_date",
            ("as_of_date", item),
            lambda f, _: once_per(f, ["as_of_date"], _incomplete(f, item)),
            statement="every date has all rows, absent ones included",
            what_to_do=_AGAIN,
        ),
        never(
            "series_ids__in_catalogue",
            ("series_ids",),
            lambda f, _: _unknown(f["series_ids"], set(catalog.series)),
            statement="the provenance names series of the catalogue",
            what_to_do="A series was renamed: declare it in assets/catalog/series or correct the table that reads it.",
        ),
    )


def _incomplete(frame: pd.DataFrame, item: str) -> pd.Series:
    return flag(frame.groupby("as_of_date")[item].transform("nunique") < frame[item].nunique())


def _unknown(named: pd.Series, known: set[str]) -> pd.Series:
    strange = {ids for ids in named.dropna().unique() if not set(filter(None, ids.split(","))) <= known}
    return flag(named.isin(strange))
