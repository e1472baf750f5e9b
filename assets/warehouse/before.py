"""The release this warehouse published last, as its rows stand in the published file.

Belongs here: reading it, and which of its rows may be compared with those of tonight. Does not belong here: comparing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from assets.catalog.render import quoted
from assets.compute.grid import BACKFILLED
from assets.warehouse.live import LiveRows
from assets.warehouse.publication import released
from assets.warehouse.readers import frame_of

if TYPE_CHECKING:
    import duckdb

    from assets.catalog.models import Catalog
    from assets.run_facts import RunFacts


@dataclass(frozen=True)
class Before:
    """The last release of this profile and method version. `tables`: its as-of tables by name, as published.

    `captured_until` (UTC without an offset) ends the archive it was computed from.
    """

    release_id: str
    published_at: dt.datetime
    captured_until: dt.datetime
    tables: dict[str, pd.DataFrame]

    def backfilled(self, live: LiveRows) -> set[pd.Timestamp]:
        """Dates it published backfilled rows for; without those of `live`, frozen before it was rolled back to."""
        regime = self.tables["regime"]
        days = set(regime.loc[regime["row_kind"] == BACKFILLED, "as_of_date"])
        return days - set(map(pd.Timestamp, live.dates))


def release_before(con: duckdb.DuckDBPyConnection, facts: RunFacts, catalog: Catalog) -> Before | None:
    """What the published file says; None without one of this warehouse, profile and method version.

    A warehouse that was made anew cannot tell what an older file was computed from.
    """
    with released(facts.published_path) as file:
        if file is None:
            return None
        names = ("release_id", "profile", "method_version", "published_at")
        release_id, profile, version, published_at = file.execute(
            f"SELECT {', '.join(names)} FROM release_manifest"
        ).fetchall()[0]
        if (profile, version) != (facts.profile, catalog.method.method_version):
            return None
        known = con.execute(
            "SELECT captured_until FROM ops.publications WHERE release_id = ?", [release_id]
        ).fetchall()
        if not known or known[0][0] is None:
            return None
        return Before(release_id, published_at, known[0][0], _tables(file, catalog))


def _tables(file: duckdb.DuckDBPyConnection, catalog: Catalog) -> dict[str, pd.DataFrame]:
    """The as-of tables of the file; one declared since is not in it."""
    there = {name for (name,) in file.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    tables = {}
    for table in catalog.as_of_tables():
        if table.name in there:
            file.execute(f"SELECT * FROM {quoted(table.name)}")
            tables[table.name] = frame_of(file)
    return tables
