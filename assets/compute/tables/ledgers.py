"""The hand-kept ledgers as tables: announcements of the Fed, recessions, and figures others published."""

import pandas as pd

from assets.catalog.models import Catalog
from assets.compute.stance import counts_from


def policy_events(catalog: Catalog) -> pd.DataFrame:
    """One row per announcement, with the day it counts from; empty days where it does not count."""
    horizon = catalog.method.stance.announcement_horizon_days
    rows = [
        event.model_dump()
        | {"counts_from_date": counts_from(event, horizon) if event.changes_direction else None}
        for event in catalog.policy_events.events
    ]
    return pd.DataFrame(rows)


def reference_values(catalog: Catalog) -> pd.DataFrame:
    """One row per cited figure."""
    return pd.DataFrame(value.model_dump() for value in catalog.reference_values.values())


def recessions(catalog: Catalog) -> pd.DataFrame:
    """One row per recession."""
    ledger = catalog.recessions
    of_all = ledger.model_dump(include={"source", "mark", "checked_until"})
    return pd.DataFrame(one.model_dump() | of_all for one in ledger.recessions)
