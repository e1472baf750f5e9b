"""Rules of `row_corrections`: what changed in backfilled rows, and why.

Belongs here: rules about this table. Does not belong here: rules generated from its declaration, that every change is
listed (`checks/audits/immutability.py`).
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from assets.compute.corrections import CELLS_OF
from checks.suites.measures import differs, flag, only_where
from checks.suites.rules import Rule, never

TABLE = "row_corrections"
_AGAIN = "Look at assets/compute/corrections.py."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Cell by cell for `regime`, together for other tables, and a change in each."""
    known = set(catalog.series)
    return (
        never(
            "column_name__a_cell_of_regime",
            ("table_name", "as_of_date", "column_name", "cells"),
            lambda f, _: (
                only_where(f["as_of_date"], f["table_name"] == CELLS_OF)
                + only_where(f["column_name"], f["table_name"] == CELLS_OF)
                + only_where(f["cells"], f["table_name"] != CELLS_OF)
            ),
            statement="a change of regime names its cell, a change of another table counts its cells",
            what_to_do=_AGAIN,
        ),
        never(
            "value_after__another_than_before",
            ("table_name", "value_before", "value_after"),
            lambda f, _: flag(
                differs(f["value_before"], f["value_after"]) == 0, judged=f["table_name"] == CELLS_OF
            ),
            statement="a corrected cell differs from its previous value",
            what_to_do=_AGAIN,
        ),
        never(
            "first_date__not_after_last",
            ("first_date", "last_date"),
            lambda f, _: flag(f["first_date"] > f["last_date"]),
            statement="the first changed date is not after the last",
            what_to_do=_AGAIN,
        ),
        never(
            "series_ids__in_catalogue",
            ("series_ids",),
            lambda f, _: flag(
                pd.Series([not set(ids.split(",")) <= known for ids in f["series_ids"]], f.index, dtype=bool)
            ),
            statement="the series named are in the catalogue",
            what_to_do="A series was renamed: its former name stays in the corrections it caused.",
            severity="warning",
        ),
    )
