"""`late_figures` as an asset: figures that arrived too late for a live row.

Belongs here: read, write, describe. A live row never changes (methodology, "Point in time"); this says what it missed.
"""

import dagster as dg

from assets.asset_specs import table_description, table_metadata
from assets.catalog.loader import load_catalog
from assets.materialized import table_result
from assets.run_facts import RunFacts
from assets.warehouse.late import late_figures
from assets.warehouse.live import live_rows
from assets.warehouse.resource import Warehouse
from assets.warehouse.tables import replace_table

_TABLE = load_catalog().tables["late_figures"]


@dg.asset(
    key=dg.AssetKey(["regime", "late_figures"]),
    deps=[dg.AssetKey(["regime", "regime"])],
    group_name="regime",
    description=table_description(_TABLE),
    metadata=table_metadata(_TABLE, "regime"),
    kinds={"duckdb", "table"},
    owners=["team:macro"],
    tags={"layer": "regime", "published": "true"},
)
def late_figures_table(
    warehouse: dg.ResourceParam[Warehouse], facts: dg.ResourceParam[RunFacts]
) -> dg.MaterializeResult:
    """Empty on most nights."""
    with warehouse.cursor() as con:
        catalog = load_catalog()
        live = live_rows(con, facts.profile, catalog.method.method_version, facts.run_date)
        frame = late_figures(con, facts.profile, catalog, live)
        replace_table(con, _TABLE, frame, may_be_empty=True)
        return table_result(con, _TABLE, frame, facts)
