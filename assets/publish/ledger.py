"""The record of what was published, copied into the warehouse from the published file: after the swap and before a run.

A crash between the swap and the record heals itself: the next run finds the file and writes what is missing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from assets.catalog.models import Catalog, Profile
from assets.catalog.render import literal
from assets.publish.folder import sha256_of
from assets.report.published import Row
from assets.warehouse.connection import query_rows, readable
from assets.warehouse.writing import append_rows, as_declared, transaction

RESULTS_DAYS = 90  # some four thousand rows a run
# What a published month-end must never change. A column added to the table later stays out of the hash.
HASHED_COLUMNS = (
    "as_of_date", "is_month_end", "regime", "stance", "stance_realised", "stance_driver",
    "condition_state", "bubble_score", "valuation_score", "economy_score", "credit_score",
    "inflation_score", "balance_sheet_test", "monetisation_band", "coverage", "pit_grade", "method_version",
)  # fmt: skip
_FILE = "published_release"  # name the published file is attached under while it is read
_MADE_ANEW = (
    "the warehouse is younger than the published release {release_id}: "
    "its month-ends are recomputed and republished"
)


@dataclass(frozen=True)
class Recorded:
    """Rows the record gained. `note` is one line when the file is not this warehouse's, else None."""

    publications: int
    month_ends: int
    nightly_rows: int
    note: str | None = None


def record_publication(
    con: duckdb.DuckDBPyConnection, published: Path, profile: Profile, catalog: Catalog
) -> Recorded:
    """Write into the warehouse what its record lacks of the published file. Idempotent; nothing without a file.

    A file of another profile is ignored. Of a file older than the archive itself only the nightly rows are kept: the
    warehouse was created again, and its figures reached it after those rows were published.
    """
    if not published.exists():
        return Recorded(0, 0, 0)
    with _attached(con, published), transaction(con):
        manifest = query_rows(con, f"SELECT * FROM {_FILE}.release_manifest")[0]
        if manifest["profile"] != profile:
            return Recorded(0, 0, 0)
        regime = query_rows(con, f"SELECT * FROM {_FILE}.regime ORDER BY as_of_date")
        nightly = con.execute(f"SELECT * FROM {_FILE}.regime_nightly ORDER BY published_at").df()
        nightly_rows = _append_new(con, catalog, "regime_nightly", nightly, ["published_at"])
        began = con.execute("SELECT min(captured_at) FROM raw.vintages").fetchall()[0][0]
        if began is None or began > manifest["published_at"]:
            return Recorded(0, 0, nightly_rows, _MADE_ANEW.format(release_id=manifest["release_id"]))
        month_ends = _append_new(
            con,
            catalog,
            "published_rows",
            _published_rows(manifest, regime),
            ["profile", "method_version", "as_of_date"],
        )
        row = pd.DataFrame([_publication(manifest, regime, published)])
        publications = _append_new(con, catalog, "publications", row, ["release_id"])
    return Recorded(publications, month_ends, nightly_rows)


def forget_results(con: duckdb.DuckDBPyConnection, now: dt.datetime) -> None:
    """Drop check results of runs older than RESULTS_DAYS; those of a release stay in its own file."""
    before = now.astimezone(dt.UTC).replace(tzinfo=None) - dt.timedelta(days=RESULTS_DAYS)
    con.execute("DELETE FROM ops.check_results WHERE checked_at < ?", [before])


def row_sha256(row: Row) -> str:
    """Hash of a row of `regime` as published: its HASHED_COLUMNS as a JSON list, floats in full."""
    values = [row[name] for name in HASHED_COLUMNS]
    text = json.dumps([value if isinstance(value, bool | float | None) else str(value) for value in values])
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def _attached(con: duckdb.DuckDBPyConnection, published: Path) -> Iterator[None]:
    with readable(published) as path:
        con.execute(f"ATTACH {literal(str(path))} AS {_FILE} (READ_ONLY)")
        try:
            yield
        finally:
            con.execute(f"DETACH {_FILE}")


def _published_rows(manifest: Row, regime: list[Row]) -> pd.DataFrame:
    copied = ("method_version", "as_of_date", "first_published_at", "regime")
    return pd.DataFrame(
        [
            {name: row[name] for name in copied}
            | {name: manifest[name] for name in ("profile", "release_id")}
            | {"row_sha256": row_sha256(row)}
            for row in regime
            if row["is_month_end"]
        ]
    )


def _publication(manifest: Row, regime: list[Row], published: Path) -> Row:
    newest, moment = regime[-1], manifest["published_at"]
    copied = (
        "release_id", "run_id", "profile", "method_version", "code_version", "as_of_date", "published_at",
        "captured_until", "is_complete",  # since method 2.0.0
    )  # fmt: skip
    return {
        **{name: manifest.get(name) for name in copied},
        **{name: newest[name] for name in ("regime", "condition_state", "stance", "bubble_score")},
        "new_month_ends": sum(row["is_month_end"] and row["first_published_at"] == moment for row in regime),
        "file_bytes": published.stat().st_size,
        "file_sha256": sha256_of(published),
    }


def _append_new(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, name: str, frame: pd.DataFrame, key: list[str]
) -> int:
    """Append the rows of `frame` with a key the table does not have; the number appended."""
    table = catalog.tables[name]
    known = set(con.execute(f"SELECT {', '.join(key)} FROM {table.layer}.{name}").fetchall())
    keys = frame[key].astype(object).itertuples(index=False, name=None)
    # DuckDB gives moments as datetime, pandas as Timestamp: they compare and hash alike
    new = [key not in known for key in keys]
    return append_rows(con, table, as_declared(table, frame[new])) if any(new) else 0
