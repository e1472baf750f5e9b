"""Rules of `caveats`: everything declared is there, and what is missing now is said.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import Tables, flag, truth
from checks.suites.rules import Rule, never

TABLE = "caveats"
_AGAIN = "Materialise regime/caveats again; if it stays, look at assets/compute/diagnostics/caveats.py."


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Complete against the catalogue and the newest row."""
    declared, columns = set(catalog.caveats), _columns(catalog)
    return (
        never(
            "caveat_id__all_declared_are_there",
            ("caveat_id",),
            lambda f, _: _absent(f, declared),
            statement="every declared caveat has its row",
            what_to_do=_AGAIN,
        ),
        never(
            "affected_columns__exist",
            ("affected_columns",),
            lambda f, _: _unknown(f["affected_columns"], columns),
            statement="the columns a caveat names exist",
            what_to_do="Correct assets/catalog/caveats.toml: a column was renamed.",
        ),
        never(
            "applies_now__spread_missing_is_said",
            ("caveat_id", "applies_now", "regime.as_of_date", "regime.is_spread_missing"),
            lambda f, t: _unsaid(f, t, "corporate_spread_missing", "is_spread_missing"),
            statement="a missing corporate spread on the newest row is a caveat that applies",
            what_to_do=_AGAIN,
        ),
        never(
            "applies_now__provisional_stance_is_said",
            ("caveat_id", "applies_now", "regime.as_of_date", "regime.is_stance_provisional"),
            lambda f, t: _unsaid(f, t, "stance_is_provisional", "is_stance_provisional"),
            statement="a provisional stance on the newest row is a caveat that applies",
            what_to_do=_AGAIN,
        ),
    )


def _unknown(affected: pd.Series, columns: set[str]) -> pd.Series:
    """1 where a row names a column that does not exist; a row that names none is the not-null rule's."""
    named = affected.dropna()
    return flag(~named.map(lambda names: set(names.split(", ")) <= columns)).reindex(affected.index)


def _columns(catalog: Catalog) -> set[str]:
    return {f"{t.name}.{c}" for t in catalog.tables.values() for c in t.column_names}


def _absent(frame: pd.DataFrame, declared: set[str]) -> pd.Series:
    missing = len(declared - set(frame["caveat_id"]))
    return pd.Series([float(missing)] + [0.0] * (len(frame) - 1), frame.index)


def _unsaid(frame: pd.DataFrame, tables: Tables, caveat: str, column: str) -> pd.Series:
    newest = bool(tables["regime"].sort_values("as_of_date")[column].iloc[-1])
    return flag(truth(frame["applies_now"]) != newest, judged=frame["caveat_id"] == caveat)
