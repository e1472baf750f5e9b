"""`caveats` as an asset: what a reader of the newest row must know, as rows.

Belongs here: read, build, write, describe. Does not belong here: wording (`assets/catalog/caveats.toml`), questions
(`assets/compute/diagnostics/caveats.py`).
"""

import dagster as dg

from assets.asset_specs import table_description, table_metadata
from assets.catalog.loader import load_catalog
from assets.compute.diagnostics.caveats import INPUTS, caveats_frame
from assets.materialized import table_result
from assets.run_facts import RunFacts
from assets.warehouse.live import read_record
from assets.warehouse.readers import read_table
from assets.warehouse.resource import Warehouse
from assets.warehouse.tables import replace_table

_TABLES = load_catalog().tables
_TABLE = _TABLES["caveats"]


@dg.asset(
    key=dg.AssetKey(["regime", "caveats"]),
    deps=[dg.AssetKey([_TABLES[name].layer, name]) for name in INPUTS],
    group_name="regime",
    description=table_description(_TABLE),
    metadata=table_metadata(_TABLE, "regime"),
    kinds={"duckdb", "table"},
    owners=["team:macro"],
    tags={"layer": "regime", "published": "true"},
)
def caveats_table(
    warehouse: dg.ResourceParam[Warehouse], facts: dg.ResourceParam[RunFacts]
) -> dg.MaterializeResult:
    """The same rows stand in the published file, in `show` and in the report."""
    with warehouse.cursor() as con:
        frames = {
            name: read_record(con, name, load_catalog(), facts.profile, facts.run_date) for name in INPUTS
        }
        replace_table(con, _TABLE, caveats_frame(frames, load_catalog()))
        frame = read_table(con, "regime.caveats")
        return table_result(con, _TABLE, frame, facts, apply_now=int(frame["applies_now"].sum()))
