"""`late_figures` as an asset: figures that reached us after a row was published, and would have been in it.

Belongs here: read, write, describe. The published row stands (methodology, section 1); this says what it missed.
"""

import dagster as dg

from assets.asset_specs import table_description, table_metadata
from assets.catalog.loader import load_catalog
from assets.materialized import table_result
from assets.run_facts import RunFacts
from assets.warehouse.late import late_figures
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
        frame = late_figures(con, facts.profile, load_catalog().method.method_version)
        replace_table(con, _TABLE, frame, may_be_empty=True)
        return table_result(con, _TABLE, frame, facts)
