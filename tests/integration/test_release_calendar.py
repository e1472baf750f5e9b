"""`release_calendar`: a planned day while its figure has not come and was known then, else the usual lag."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from typing import Any

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.publish.manifest import ReleaseFacts
from assets.publish.staged_file import calendar_frame

AS_OF = dt.date(2026, 6, 2)
NOW = dt.datetime(2026, 6, 2, 22)
BY_LAG = (
    dt.date(2026, 5, 31) + dt.timedelta(days=load_catalog().series["UNRATE"].release_lag_days),
    "usual_lag",
)
TABLES = """
ATTACH ':memory:' AS st; CREATE SCHEMA raw;
CREATE TABLE st.main.regime_evidence AS SELECT DATE '2026-06-02' AS as_of_date, 'unemployment' AS component,
  'UNRATE' AS series_ids UNION ALL SELECT DATE '2026-06-02', 'sahm_gap', 'UNRATE';
CREATE TABLE st.main.distance_to_flip AS SELECT DATE '2026-06-02' AS as_of_date, 'sahm_gap' AS component,
  'reachable' AS reachability, 0.3 AS required_move;
CREATE TABLE raw.vintages AS SELECT 'UNRATE' AS series_id, DATE '2026-04-01' AS observation_date, 4.3 AS value,
  DATE '2026-05-08' AS realtime_start, 'alfred' AS vintage_source, TIMESTAMP '2026-05-08' AS captured_at;
CREATE TABLE raw.fetches (series_id VARCHAR, profile VARCHAR, fetched_at TIMESTAMP, source_day DATE,
  next_observation DATE, next_release_on DATE);
"""


def calendar(as_of: dt.date, fetch: list[object]) -> list[dict[Hashable, Any]]:
    with duckdb.connect() as con:
        con.execute(TABLES.replace(str(AS_OF), str(as_of)))
        con.execute("INSERT INTO raw.fetches VALUES ('UNRATE', 'live', ?, ?, ?, ?)", fetch)
        facts = ReleaseFacts("live", as_of, "run", NOW, "code", None)
        return calendar_frame(con, load_catalog(), facts, "st").to_dict("records")


@pytest.mark.parametrize(
    ("asked_on", "about", "planned", "expected"),
    [
        (AS_OF, "2026-05-01", "2026-06-09", (dt.date(2026, 6, 9), "publisher")),
        (AS_OF, "2026-05-01", None, BY_LAG),
        (AS_OF, "2026-04-01", "2026-06-09", BY_LAG),  # that figure has come
        (AS_OF, "2026-05-01", "2026-06-01", BY_LAG),  # passed: late, and nothing else is planned
        (AS_OF + dt.timedelta(days=1), "2026-05-01", "2026-06-09", BY_LAG),  # a run as of an earlier day
    ],
)
def test_the_planned_day_counts_only_for_the_next_figure_and_when_it_was_known(
    asked_on: dt.date, about: str, planned: str | None, expected: tuple[dt.date, str]
) -> None:
    (row,) = calendar(AS_OF, [NOW, asked_on, about, planned])
    assert (row["release_date"], row["date_basis"]) == expected
    assert row["components"] == "sahm_gap, unemployment" and row["could_change_label"]
    assert row["period_end_date"] == dt.date(2026, 5, 31)


def test_a_figure_whose_day_has_passed_is_overdue_and_not_expected_tomorrow() -> None:
    (row,) = calendar(dt.date(2026, 7, 20), [NOW, AS_OF, "2026-05-01", None])
    assert (row["release_date"], row["date_basis"]) == (dt.date(2026, 7, 21), "overdue")
