"""The tables of a staged file as they are checked: with the warehouse's figures where the file withholds them.

A rule checks complete rows: a withheld figure is not a missing one, and ranks and scores were made of what is in the
warehouse the file was built from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from assets.catalog.models import Catalog
from assets.catalog.render import quoted
from assets.compute.grid import LIVE
from assets.compute.record import Frames, overlaid
from assets.run_facts import RunFacts
from assets.warehouse.live import PROVENANCE, read_record
from assets.warehouse.readers import frame_of, read_table
from assets.warehouse.rights import Withheld, whole, withheld
from checks.suites.structural import checked_tables


@dataclass(frozen=True)
class StagedTables:
    """Computed tables of a staged file, by name.

    `as_staged`: as the file has them. `withheld`: cells that must be empty there. `complete`: with the warehouse's
    figures in those cells. `panel`: complete, with computed rows in place of the live ones, since a rule that compares
    a row with its neighbour or its provenance needs both from one computation; live rows were checked when they were
    frozen, and are compared with what was published (`audits/immutability.py`).
    """

    as_staged: Frames
    withheld: Mapping[str, Withheld]
    complete: Frames
    panel: Frames


def read_staged(
    staged: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection, facts: RunFacts, catalog: Catalog
) -> StagedTables:
    """Read the staged file, and from the warehouse `con` it was built from what it withholds."""
    tables = [catalog.tables[name] for name in checked_tables(catalog)]
    as_staged, cells = {}, {}
    for table in tables:
        as_staged[table.name] = frame_of(staged, f"SELECT * FROM {quoted(table.name)}")
        found = {} if facts.publishes_restricted else withheld(table, catalog, facts.profile)
        if found:
            cells[table.name] = found
    complete = dict(as_staged)
    for name, found in cells.items():
        stored = read_record(con, name, catalog, facts.profile, facts.run_date)
        complete[name] = whole(as_staged[name], stored, catalog.tables[name].key, found)
    panel, regime = dict(complete), complete["regime"]
    live = regime.loc[regime["row_kind"] == LIVE, "as_of_date"]
    if len(live):
        for table in tables:
            if table.is_as_of:
                computed = read_table(con, f"{table.layer}.{table.name}")
                panel[table.name] = overlaid(
                    complete[table.name], computed[computed["as_of_date"].isin(live)], live
                )
        panel[PROVENANCE] = read_table(con, f"{catalog.tables[PROVENANCE].layer}.{PROVENANCE}")
    return StagedTables(as_staged, cells, complete, panel)
