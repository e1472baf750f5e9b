"""The published file as it is now: its manifest, and the rows of the previous release."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from assets.catalog.models import Catalog, Profile
from assets.catalog.render import quoted
from assets.compute.grid import BACKFILLED
from assets.run_facts import RunFacts
from assets.warehouse.connection import (
    CONFIG,
    readable,
)
from assets.warehouse.live import LiveRows
from assets.warehouse.readers import frame_of


class PublicationRefused(Exception):
    """This run may not publish here: one line with the way out. Nothing was changed."""


@dataclass(frozen=True)
class Published:
    """What the published file says of itself."""

    release_id: str
    profile: Profile
    as_of: dt.date
    published_at: dt.datetime


def published_release(published: Path) -> Published | None:
    """What the published file says of itself; None when there is none.

    Raises PublicationRefused for a file that is not a release. A file somebody holds open for writing is read
    from a copy.
    """
    if not published.exists():
        return None
    try:
        with readable(published) as path:
            return manifest_of(path)
    except (OSError, duckdb.Error):
        raise PublicationRefused(
            f"{published} is not a release of this project, or is damaged; move it away"
        ) from None


@contextmanager
def released(published: Path) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """The published file, read-only; None when there is none. One somebody holds open for writing is copied first.

    Raises PublicationRefused for a file that is not a database.
    """
    if not published.exists():
        yield None
        return
    with readable(published) as path:
        try:
            con = duckdb.connect(str(path), read_only=True, config=CONFIG)
        except (OSError, duckdb.Error):
            raise PublicationRefused(f"{published} is no database, or is damaged; move it away") from None
        with con:
            yield con


def manifest_of(path: Path) -> Published:
    with duckdb.connect(str(path), read_only=True, config=CONFIG) as con:
        return read_manifest(con)


def read_manifest(con: duckdb.DuckDBPyConnection) -> Published:
    rows = con.execute(
        "SELECT release_id, profile, as_of_date, published_at FROM release_manifest"
    ).fetchall()
    return Published(*rows[0])


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
