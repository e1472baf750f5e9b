"""The hand-kept ledgers as tables: announcements of the Fed, recessions, and figures others published."""

from __future__ import annotations

from typing import Any

import pandas as pd

from assets.catalog.models import Catalog, Table
from assets.compute.stance import counts_from


def policy_events(catalog: Catalog) -> pd.DataFrame:
    """One row per announcement, with the day it counts from; empty days where it does not count."""
    horizon = catalog.method.stance.announcement_horizon_days
    rows = [
        event.model_dump()
        | {"counts_from_date": counts_from(event, horizon) if event.changes_direction else None}
        for event in catalog.policy_events.events
    ]
    return _frame(catalog.tables["policy_events"], rows)


def reference_values(catalog: Catalog) -> pd.DataFrame:
    """One row per cited figure."""
    rows = [value.model_dump() for value in catalog.reference_values.values()]
    return _frame(catalog.tables["reference_values"], rows)


def recessions(catalog: Catalog) -> pd.DataFrame:
    """One row per recession."""
    ledger = catalog.recessions
    rows = [
        one.model_dump()
        | {"source": ledger.source, "mark": ledger.mark, "checked_until": ledger.checked_until}
        for one in ledger.recessions
    ]
    return _frame(catalog.tables["recessions"], rows)


def _frame(table: Table, rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)[list(table.column_names)]
    dates = [column.name for column in table.columns if column.type == "DATE"]
    return frame.astype(dict.fromkeys(dates, "datetime64[s]"))
