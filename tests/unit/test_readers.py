"""What the readers answer about the archive, the fetches and first publications."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import Profile
from assets.compute.grid import build_grid
from assets.run_facts import RunFacts
from assets.warehouse.fetches import Ingested, known_series, record_fetches
from assets.warehouse.readers import (
    LABEL_ROLES,
    content_hash,
    first_published_column,
    why_incomplete,
)
from assets.warehouse.tables import append_rows
from tests.builders import NOON, Row, a_payload, a_series, an_archive, merge_payload

DAY = dt.date(2026, 6, 1)


def facts(days_later: int = 0) -> RunFacts:
    started = NOON + dt.timedelta(days=days_later)
    return RunFacts(f"run-{days_later}", "sample", DAY, started, Path(), Path(), "abc")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with an_archive() as connection:
        earlier: list[Row] = [("2026-02-01", 4.1, "2026-03-06"), ("2026-03-01", 4.2, "2026-04-03")]
        merge_payload(connection, a_series(first_public_on=None), a_payload(earlier, is_complete=False))
        yield connection


def test_last_accepted_complete_fetch_is_remembered(con: duckdb.DuckDBPyConnection) -> None:
    series, whole = a_series(), a_payload([("2026-03-01", 4.2), ("2026-04-01", None)])
    part = a_payload([("2026-04-01", 4.3)], is_complete=False)
    record_fetches(con, [Ingested(series, "new", payload=whole)], facts(0), DAY)
    record_fetches(con, [Ingested(series, "new", payload=part)], facts(1), DAY)
    record_fetches(con, [Ingested(series, "refused", message="too short")], facts(2), DAY)
    record_fetches(con, [Ingested(series, "unreachable")], facts(3), DAY)
    known = known_series(con, DAY + dt.timedelta(days=4))["UNRATE"]
    assert (known.unit_kind, known.rows_served, known.held_first) == ("pct", 2, dt.date(2026, 2, 1))


def test_first_publication_is_per_profile_and_method(con: duckdb.DuckDBPyConnection) -> None:
    row = {
        "profile": "sample", "method_version": "1.0.0", "as_of_date": dt.date(2026, 4, 30),
        "first_published_at": dt.datetime(2026, 5, 1, 1, 30, 0, 250), "release_id": "r", "regime": "x",
        "row_sha256": "y",
    }  # fmt: skip
    append_rows(con, load_catalog().tables["published_rows"], pd.DataFrame([row]))
    grid = build_grid(np.datetime64("2026-03-31"), np.datetime64("2026-04-30"))

    def column(profile: Profile, version: str) -> list[object]:
        method = load_catalog().method.model_copy(update={"method_version": version})
        catalog = replace(load_catalog(), method=method)
        return first_published_column(con, grid, profile, catalog).tolist()

    assert column("sample", "1.0.0")[1] == pd.Timestamp("2026-05-01T01:30:00.000250")
    assert pd.isna(column("live", "1.0.0")).all() and pd.isna(column("sample", "2.0.0")).all()


def test_every_series_of_the_label_that_was_never_fetched_is_named() -> None:
    """Until none is missing no month-end is frozen."""
    with an_archive() as con:
        for series_id in (s.series_id for s in load_catalog().in_profile("live") if s.role in LABEL_ROLES):
            message = why_incomplete(con, "live")
            assert message is not None and series_id in message
            con.execute(
                "INSERT INTO raw.vintages VALUES (?, '2026-01-01', '2026-02-06', 1, 'captured', ?, 'f')",
                [series_id, NOON],
            )
        assert why_incomplete(con, "live") is None


def test_a_content_hash_changes_with_a_value_and_not_with_the_order_of_rows() -> None:
    table, rows = (
        load_catalog().tables["late_figures"],
        "(VALUES (1.5::DOUBLE, 'a'), (NULL, 'b')) AS r (number, word)",
    )

    def hashed(change: str = "") -> object:
        with duckdb.connect() as con:
            con.execute(f"CREATE SCHEMA regime; CREATE TABLE regime.late_figures AS FROM {rows}; {change}")
            return content_hash(con, table)

    assert (
        hashed("CREATE OR REPLACE TABLE regime.late_figures AS FROM regime.late_figures ORDER BY word DESC")
        == hashed()
    )
    changed = [
        "UPDATE regime.late_figures SET number = 1.5000000000000002 WHERE word = 'a'",
        "UPDATE regime.late_figures SET number = 0 WHERE word = 'b'",
        "UPDATE regime.late_figures SET word = NULL WHERE word = 'b'",
        "INSERT INTO regime.late_figures SELECT 9.0, 'c' FROM range(2)",  # equal rows do not cancel
        "DELETE FROM regime.late_figures",
    ]
    assert len({hashed(), *map(hashed, changed)}) == 1 + len(changed)
