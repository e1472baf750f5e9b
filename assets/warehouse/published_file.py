"""The published file as it is now: its manifest, and the rows of the previous release."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from assets.catalog.models import Catalog, Profile
from assets.catalog.render import quoted
from assets.compute.grid import BACKFILLED
from assets.run_facts import RunFacts
from assets.warehouse.connection import opened
from assets.warehouse.live import LiveRow
from assets.warehouse.readers import frame_of


class PublicationRefused(Exception):
    """This run may not publish here: one line with the way out. Nothing was changed."""


@dataclass(frozen=True)
class Published:
    """The manifest of a published file, as far as publishing needs it."""

    release_id: str
    profile: Profile
    as_of: dt.date
    published_at: dt.datetime
    method_version: str


@dataclass(frozen=True)
class Before:
    """The last release of this profile and method version. `tables`: its as-of tables by name, as published.

    `captured_until` (UTC without an offset) ends the archive it was computed from.
    """

    release_id: str
    published_at: dt.datetime
    captured_until: dt.datetime
    tables: dict[str, pd.DataFrame]

    def backfilled(self, live: Sequence[LiveRow]) -> set[pd.Timestamp]:
        """Dates it published backfilled rows for; without those of `live`, frozen before it was rolled back to."""
        regime = self.tables["regime"]
        days = set(regime.loc[regime["row_kind"] == BACKFILLED, "as_of_date"])
        return days - {pd.Timestamp(row.as_of_date) for row in live}


@contextmanager
def released(published: Path) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """The published file, read-only; None when there is none. One open elsewhere for writing is copied first.

    Raises PublicationRefused for a file that is not a database.
    """
    if not published.exists():
        yield None
        return
    with ExitStack() as stack:
        try:
            con = stack.enter_context(opened(published))
        except (OSError, duckdb.Error):
            raise _not_a_release(published) from None
        yield con


def published_release(published: Path) -> Published | None:
    """The manifest of the published file; None without a file. Raises PublicationRefused when it is not a release."""
    try:
        with released(published) as file:
            return None if file is None else manifest_of(file)
    except (OSError, duckdb.Error):
        raise _not_a_release(published) from None


def manifest_of(con: duckdb.DuckDBPyConnection) -> Published:
    """The manifest of the release a connection is open on."""
    query = "SELECT release_id, profile, as_of_date, published_at, method_version FROM release_manifest"
    return Published(*con.execute(query).fetchall()[0])


def release_before(con: duckdb.DuckDBPyConnection, facts: RunFacts, catalog: Catalog) -> Before | None:
    """The published release; None without one of this warehouse, profile and method version."""
    with released(facts.published_path) as file:
        if file is None:
            return None
        release = manifest_of(file)
        if (release.profile, release.method_version) != (facts.profile, catalog.method.method_version):
            return None
        known = con.execute(
            "SELECT captured_until FROM ops.publications WHERE release_id = ? AND captured_until IS NOT NULL",
            [release.release_id],
        ).fetchall()
        if not known:
            return None
        existing = {name for (name,) in file.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        tables = {}
        for table in catalog.as_of_tables():
            if table.name in existing:  # not one declared since
                tables[table.name] = frame_of(file, f"SELECT * FROM {quoted(table.name)}")
        return Before(release.release_id, release.published_at, known[0][0], tables)


def _not_a_release(published: Path) -> PublicationRefused:
    return PublicationRefused(f"{published} is not a release of this project, or is damaged; move it away")
