"""The hand-kept ledgers as tables: announcements of the Fed, and figures others published.

Belongs here: catalogue entries into rows. Does not belong here: which announcement counts (`assets/compute/stance.py`).
"""

import dagster as dg
import pandas as pd

from assets.asset_specs import table_description, table_metadata
from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog
from assets.compute.stance import counts_from
from assets.materialized import table_result
from assets.run_facts import RunFacts
from assets.warehouse.resource import Warehouse
from assets.warehouse.tables import replace_table


def policy_events_frame(catalog: Catalog) -> pd.DataFrame:
    """One row per announcement, with the day it counts from; empty days where it does not count."""
    horizon = catalog.method.stance.announcement_horizon_days
    rows = [
        event.model_dump()
        | {"counts_from_date": counts_from(event, horizon) if event.changes_direction else None}
        for event in catalog.policy_events.events
    ]
    return pd.DataFrame(rows)[list(catalog.tables["policy_events"].column_names)]


def reference_values_frame(catalog: Catalog) -> pd.DataFrame:
    """One row per cited figure."""
    rows = [value.model_dump() for value in catalog.reference_values.values()]
    return pd.DataFrame(rows)[list(catalog.tables["reference_values"].column_names)]


def _ledger(name: str) -> dg.AssetsDefinition:
    table = load_catalog().tables[name]
    frames = {"policy_events": policy_events_frame, "reference_values": reference_values_frame}

    @dg.asset(
        key=dg.AssetKey(["derived", name]),
        group_name="derived",
        description=table_description(table),
        metadata=table_metadata(table, "derived"),
        kinds={"duckdb", "table"},
        owners=["team:macro"],
        tags={"layer": "derived", "published": "true"},
    )
    def ledger(
        warehouse: dg.ResourceParam[Warehouse], facts: dg.ResourceParam[RunFacts]
    ) -> dg.MaterializeResult:
        frame = frames[name](load_catalog())
        with warehouse.cursor() as con:
            replace_table(con, table, frame)
            return table_result(con, table, frame, facts)

    return ledger


LEDGERS = [_ledger("policy_events"), _ledger("reference_values")]
