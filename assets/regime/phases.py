"""`qe_phases` as an asset: past easing against now.

Belongs here: read, build, write, describe. Does not belong here: phases and verdicts (`assets/compute/phases*.py`).
"""

import dagster as dg

from assets.asset_specs import raw_keys, table_description, table_metadata
from assets.catalog.loader import load_catalog
from assets.compute.phases import build_phases
from assets.materialized import table_result
from assets.run_facts import RunFacts
from assets.warehouse.live import read_record
from assets.warehouse.readers import load_archive, read_table, run_grid
from assets.warehouse.resource import Warehouse
from assets.warehouse.tables import replace_slice, replace_table

_TABLE = load_catalog().tables["qe_phases"]


@dg.asset(
    key=dg.AssetKey(["regime", "qe_phases"]),
    deps=[dg.AssetKey(["regime", "regime"]), dg.AssetKey(["derived", "policy_events"])],
    group_name="regime",
    description=table_description(_TABLE),
    metadata=table_metadata(_TABLE, "regime"),
    kinds={"duckdb", "table"},
    owners=["team:macro"],
    tags={"layer": "regime", "published": "true"},
)
def qe_phases_table(
    warehouse: dg.ResourceParam[Warehouse], facts: dg.ResourceParam[RunFacts]
) -> dg.MaterializeResult:
    """Each start of purchases as it looked that day and three month-ends later; the post's day; the run date."""
    catalog = load_catalog()
    with warehouse.cursor() as con:
        grid, inputs = run_grid(facts.run_date, catalog), sorted(raw_keys(_TABLE, catalog))
        archive = load_archive(con, inputs)
        regime = read_record(con, "regime", catalog, facts.profile, facts.run_date)
        made = build_phases(archive, grid, catalog, facts.profile, regime)
        replace_table(con, _TABLE, made.frame)
        replace_slice(con, catalog.tables["provenance"], made.provenance, "table_name", _TABLE.name)
        frame = read_table(con, "regime.qe_phases")
        now = frame.iloc[-1]
        return table_result(
            con,
            _TABLE,
            frame,
            facts,
            hot_today=int(now["hot_conditions"]),
            cold_today=int(now["cold_conditions"]),
        )
