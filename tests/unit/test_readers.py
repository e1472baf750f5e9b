"""What the readers answer about the archive, the fetches and first publications, and which figures are late."""

from __future__ import annotations

import datetime as dt
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
from assets.warehouse.live import LiveRow, late_figures
from assets.warehouse.readers import (
    LABEL_ROLES,
    content_hash,
    first_published_column,
    read_table,
    vintages_as_of,
    why_incomplete,
)
from assets.warehouse.schema import KEPT_TABLES
from assets.warehouse.writing import append_rows
from tests.builders import NOON, Row, a_payload, a_series, an_archive, merge_payload, series_as_of

CATALOG = load_catalog()
DAY = dt.date(2026, 6, 1)


def test_last_accepted_complete_fetch_is_remembered() -> None:
    series, whole = a_series(first_public_on=None), a_payload([("2026-03-01", 4.2), ("2026-04-01", None)])
    earlier: list[Row] = [("2026-02-01", 4.1, "2026-03-06"), ("2026-03-01", 4.2, "2026-04-03")]
    part = a_payload([("2026-04-01", 4.3)], is_complete=False)
    with an_archive() as con:
        merge_payload(con, series, a_payload(earlier, is_complete=False))
        for days, outcome in enumerate(
            (
                Ingested(series, "new", payload=whole), Ingested(series, "new", payload=part),
                Ingested(series, "refused", message="too short"), Ingested(series, "unreachable"),
            )
        ):  # fmt: skip
            started = NOON + dt.timedelta(days=days)
            facts = RunFacts(f"run-{days}", "sample", DAY, started, Path(), Path(), "abc")
            record_fetches(con, [outcome], facts, DAY)
        known = known_series(con, DAY + dt.timedelta(days=4))["UNRATE"]
    assert (known.unit_kind, known.rows_served, known.held_first) == ("pct", 2, dt.date(2026, 2, 1))


def test_first_publication_is_per_profile_and_method() -> None:
    row = {
        "profile": "sample", "method_version": "1.0.0", "as_of_date": dt.date(2026, 4, 30),
        "first_published_at": dt.datetime(2026, 5, 1, 1, 30, 0, 250), "release_id": "r", "regime": "x",
        "row_sha256": "y",
    }  # fmt: skip
    grid = build_grid(np.datetime64("2026-03-31"), np.datetime64("2026-04-30"))

    def column(con: duckdb.DuckDBPyConnection, profile: Profile, version: str) -> list[object]:
        method = CATALOG.method.model_copy(update={"method_version": version})
        return first_published_column(con, grid, profile, replace(CATALOG, method=method)).tolist()

    with an_archive() as con:
        append_rows(con, CATALOG.tables["published_rows"], pd.DataFrame([row]))
        assert column(con, "sample", "1.0.0")[1] == pd.Timestamp("2026-05-01T01:30:00.000250")
        others = column(con, "live", "1.0.0") + column(con, "sample", "2.0.0")
    assert pd.isna(others).all()


def test_every_series_of_the_label_that_was_never_fetched_is_named() -> None:
    """Until none is missing no month-end is frozen."""
    with an_archive() as con:
        for series_id in (s.series_id for s in CATALOG.in_profile("live") if s.role in LABEL_ROLES):
            message = why_incomplete(con, "live")
            assert message is not None and series_id in message
            con.execute(
                "INSERT INTO raw.vintages VALUES (?, '2026-01-01', '2026-02-06', 1, 'captured', ?, 'f')",
                [series_id, NOON],
            )
        assert why_incomplete(con, "live") is None


def test_a_content_hash_changes_with_a_value_and_not_with_the_order_of_rows() -> None:
    table, rows = (
        CATALOG.tables["late_figures"],
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


# Dates outside of what fits in nanoseconds are read as they were stored; an open end is 9999-12-31 everywhere:
# before and after what fits (1677-09-21 to 2262-04-11), a leap day, a year's ends
ROWS: list[Row] = [
    ("1600-03-01", 1.0, "1600-04-03"),
    ("1999-12-31", 2.0, "2000-02-29"),
    ("1999-12-31", 2.1, "2024-12-31"),
    ("2024-02-29", None, "2024-03-01"),
    ("2025-01-01", 3.0, "2500-01-01"),
]
LAST = dt.date(2500, 1, 1)


def test_what_the_readers_give_has_the_dates_of_the_publisher_and_none_in_nanoseconds() -> None:
    with an_archive() as con:
        merge_payload(con, a_series(), a_payload(ROWS), run_date=LAST)
        observations, known = read_table(con, "raw.observations"), series_as_of(con, "UNRATE", LAST)
        kept = [read_table(con, f"{CATALOG.tables[name].layer}.{name}") for name in KEPT_TABLES]
    real = observations[observations["vintage_source"] == "alfred"]
    days = real[["observation_date", "realtime_start", "realtime_end"]].astype(str).to_numpy().tolist()
    ends = ("9999-12-31", "2024-12-30", "9999-12-31", "9999-12-31", "9999-12-31")
    assert days == [[row[0], row[2], end] for row, end in zip(ROWS, ends, strict=True)]
    assert set(known["realtime_end"].astype(str)) == {"9999-12-31"}
    for frame in (observations, known, *kept):
        assert not [name for name, dtype in frame.dtypes.items() if str(dtype) == "datetime64[ns]"]


# ---- late figures: those that would be in a live row, one a figure, and none that changes nothing

FROZEN = dt.datetime(2026, 5, 6, 3)
AFTER = FROZEN + dt.timedelta(days=1)
APRIL = dt.date(2026, 4, 30)
LIVE = [LiveRow(APRIL, FROZEN, FROZEN, dt.date(2026, 5, 6), "r")]


def late(*vintages: tuple, reads: str = "ICSA,UNRATE", live: list[LiveRow] = LIVE) -> list[tuple]:
    """Observation, first day, value used and value late; given observation, first day, value, capture and source."""
    with an_archive() as con:
        con.execute("CREATE SCHEMA live")
        con.execute(
            "CREATE TABLE live.provenance AS SELECT ?::DATE AS as_of_date, ? AS series_ids, 'r' AS frozen_release_id",
            [APRIL, reads],
        )
        for observation, start, value, captured, *source in vintages:
            by = source[0] if source else "retracted" if value is None else "alfred"
            con.execute(
                "INSERT INTO raw.vintages VALUES ('UNRATE', ?, ?, ?, ?, ?, 'f')",
                [observation, start, value, by, captured],
            )
        found = late_figures(con, "live", CATALOG, live)
    assert list(found.columns) == list(CATALOG.tables["late_figures"].column_names)
    assert (found["captured_at"] == AFTER).all()
    columns = ["observation_date", "realtime_start", "value_used", "value_late"]
    rows = found[columns].astype({"observation_date": str, "realtime_start": str}).itertuples(index=False)
    return [(row[0], row[1], *(None if v != v else v for v in row[2:])) for row in rows]


USED = ("2026-03-01", "2026-04-24", 4.3, FROZEN - dt.timedelta(days=2))
HISTORY = [("2026-03-01", f"2026-04-{day:02}", day / 10, AFTER) for day in (3, 10, 17, 24)]
RETRACTED = ("2026-03-01", "2026-04-24", None, AFTER)


@pytest.mark.parametrize(
    ("vintages", "expected"),
    [
        # of a full history that came late only what the row would have read
        (HISTORY, [("2026-03-01", "2026-04-24", None, 2.4)]),
        # a late vintage that was replaced before the row is not listed: the row had the newer one
        ([USED, ("2026-03-01", "2026-04-03", 4.2, AFTER)], []),
        ([USED, ("2026-03-01", "2026-04-24", 4.4, AFTER)], [("2026-03-01", "2026-04-24", 4.3, 4.4)]),
        # one the publisher took back is listed with what shows through
        ([("2026-03-01", "2026-04-03", 4.2, FROZEN - dt.timedelta(days=9)), USED, RETRACTED],
         [("2026-03-01", "2026-04-03", 4.3, 4.2)]),
        ([USED, RETRACTED], [("2026-03-01", "2026-04-24", 4.3, None)]),
        # dated by lag rule, removed by a vintage that begins after the row: it was not public on the date at all
        ([("2026-02-01", "2026-03-06", 4.0, FROZEN), ("2026-03-01", "2026-04-03", 4.0, FROZEN, "lag_rule"),
          ("2026-03-01", "2026-05-08", 4.0, AFTER)], [("2026-03-01", "2026-04-03", 4.0, None)]),
        ([("2026-03-01", "2026-04-24", 4.4, FROZEN)], []),  # in time
        ([("2026-03-01", "2026-05-01", 4.4, AFTER)], []),  # not public on the date
    ],
)  # fmt: skip
def test_what_a_live_row_would_have_used_had_it_come_in_time(
    vintages: list[tuple], expected: list[tuple]
) -> None:
    assert late(*vintages) == expected


def test_what_is_late_is_asked_of_the_series_the_row_reads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole archive would be resolved twice for every live row in every run."""
    asked: list[list[str]] = []

    def counted(con: duckdb.DuckDBPyConnection, day: dt.date, ids: list[str], *cut: object) -> pd.DataFrame:
        asked.append(list(ids))
        return vintages_as_of(con, day, ids, *cut)

    monkeypatch.setattr("assets.warehouse.live.vintages_as_of", counted)
    assert late(("2026-03-01", "2026-04-24", 4.4, AFTER)) == [("2026-03-01", "2026-04-24", None, 4.4)]
    newest = ("2026-03-01", "2026-04-24", 4.4, AFTER)
    assert late(newest, reads="ICSA") == late(newest, live=[]) == [], "backfilled rows take what comes"
    assert asked[:2] == [["ICSA", "UNRATE"]] * 2
