"""The audit of rights: no computed table of the staged file holds a figure that must not be passed on.

Belongs here: counting them, and the rule. Does not belong here: which cells these are (`assets/warehouse/rights.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from assets.warehouse.rights import Withheld, disclosed
from checks.suites.rules import Rule, Suite, within

TYPES = {"table_name": "VARCHAR", "column_name": "VARCHAR", "figures": "BIGINT"}


def rights_suite() -> Suite:
    """Rule on the frame `figures_disclosed` gives."""
    rules: tuple[Rule, ...] = (
        within(
            "restricted_figure__withheld",
            tuple(TYPES),
            lambda f, _: f["figures"],
            maximum=0,
            statement="a cell that repeats a series with restricted rights is empty",
            what_to_do="Do not publish. The staged file was not made by build_release: run the whole job. Who may have "
            "these figures published sets REGIME_PUBLISH_RESTRICTED=1.",
        ),
    )
    return Suite("rights", ("table_name", "column_name"), TYPES, rules)


def figures_disclosed(staged: Mapping[str, pd.DataFrame], cells: Mapping[str, Withheld]) -> pd.DataFrame:
    """One row per table and column with withheld cells: how many of these hold a figure. Empty where nothing is."""
    rows = [
        (table, column, count)
        for table, withheld in cells.items()
        for column, count in disclosed(staged[table], withheld).items()
    ]
    return pd.DataFrame(rows, columns=list(TYPES))
