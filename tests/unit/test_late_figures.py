"""Late figures are those that would be in a live row: one a figure, and none that changes nothing."""

from __future__ import annotations

import datetime as dt

import duckdb
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.warehouse.live import LiveRow, late_figures
from assets.warehouse.readers import vintages_as_of
from tests.builders import an_archive

CATALOG = load_catalog()
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


def test_of_a_full_history_that_came_late_only_what_the_row_would_have_read_is_listed() -> None:
    """An index estimated anew every week has hundreds of vintages of each figure."""
    history = [("2026-03-01", f"2026-04-{day:02}", day / 10, AFTER) for day in (3, 10, 17, 24)]
    assert late(*history) == [("2026-03-01", "2026-04-24", None, 2.4)]


def test_a_late_vintage_that_was_replaced_before_the_row_is_not_listed() -> None:
    """The row had the newer one already."""
    used = ("2026-03-01", "2026-04-24", 4.3, FROZEN - dt.timedelta(days=2))
    assert late(used, ("2026-03-01", "2026-04-03", 4.2, AFTER)) == []
    assert late(used, ("2026-03-01", "2026-04-24", 4.4, AFTER)) == [("2026-03-01", "2026-04-24", 4.3, 4.4)]


def test_a_vintage_the_publisher_took_back_is_listed_with_what_shows_through() -> None:
    first = ("2026-03-01", "2026-04-03", 4.2, FROZEN - dt.timedelta(days=9))
    used = ("2026-03-01", "2026-04-24", 4.3, FROZEN - dt.timedelta(days=2))
    retracted = ("2026-03-01", "2026-04-24", None, AFTER)
    assert late(first, used, retracted) == [("2026-03-01", "2026-04-03", 4.3, 4.2)]
    assert late(used, retracted) == [("2026-03-01", "2026-04-24", 4.3, None)]


def test_nothing_else_is_late() -> None:
    assert late(("2026-03-01", "2026-04-24", 4.4, AFTER), reads="ICSA") == [], (
        "a series the row does not read"
    )
    assert late(("2026-03-01", "2026-04-24", 4.4, FROZEN)) == [], "in time"
    assert late(("2026-03-01", "2026-05-01", 4.4, AFTER)) == [], "not public on the date"
    assert late(("2026-03-01", "2026-04-03", 4.0, AFTER), live=[]) == [], "backfilled rows take what comes"


def test_a_figure_dated_by_lag_rule_that_a_later_vintage_removed_is_listed_with_its_capture() -> None:
    """The vintage begins after the row: the figure was not public on the date at all."""
    rows = (
        ("2026-02-01", "2026-03-06", 4.0, FROZEN),
        ("2026-03-01", "2026-04-03", 4.0, FROZEN, "lag_rule"),
        ("2026-03-01", "2026-05-08", 4.0, AFTER),
    )
    assert [found[2:] for found in late(*rows)] == [(4.0, None)]


def test_what_is_late_is_asked_of_the_series_the_row_reads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole archive would be resolved twice for every live row in every run."""
    asked: list[list[str]] = []

    def counted(con: duckdb.DuckDBPyConnection, day: dt.date, ids: list[str], *cut: object) -> pd.DataFrame:
        asked.append(list(ids))
        return vintages_as_of(con, day, ids, *cut)

    monkeypatch.setattr("assets.warehouse.live.vintages_as_of", counted)
    assert late(("2026-03-01", "2026-04-24", 4.4, AFTER)) == [("2026-03-01", "2026-04-24", None, 4.4)]
    assert asked == [["ICSA", "UNRATE"]] * 2
