"""The revision triangle of a series: by hand, from real vintages only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from assets.publish.views import macro_statements

VINTAGES = """
INSERT INTO pit.observations BY NAME FROM (VALUES
  ('PAYEMS', DATE '2019-12-01', 90, DATE '2020-02-05', 'alfred'),
  ('PAYEMS', DATE '2020-01-01', 100, DATE '2020-02-07', 'alfred'),
  ('PAYEMS', DATE '2020-01-01', 110, DATE '2020-03-06', 'alfred'),
  ('PAYEMS', DATE '2020-01-01', 108, DATE '2020-04-03', 'rtdsm'),
  ('PAYEMS', DATE '2020-01-01', 104, DATE '2021-02-05', 'alfred'),
  ('PAYEMS', DATE '2020-02-01', 200, DATE '2020-03-06', 'alfred'),
  ('PAYEMS', DATE '2020-02-01', 192, DATE '2020-04-03', 'alfred'),
  ('PAYEMS', DATE '2020-03-01', 300, DATE '2020-04-03', 'lag_rule'),
  ('PAYEMS', DATE '2020-03-01', 310, DATE '2020-05-03', 'alfred'),
  ('PAYEMS', DATE '2020-04-01', 400, DATE '2020-05-08', 'alfred'),
  ('PAYEMS', DATE '2020-04-01', NULL, DATE '2020-06-08', 'alfred'),
  ('DGS10', DATE '2020-04-01', 1.5, DATE '2020-04-02', 'lag_rule')
) AS v(series_id, observation_date, value, realtime_start, vintage_source)
"""


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute(
            "CREATE SCHEMA pit; CREATE TABLE pit.observations ("
            "series_id VARCHAR, observation_date DATE, value DOUBLE, realtime_start DATE, "
            "vintage_source VARCHAR, realtime_end DATE)"
        )
        con.execute(
            "CREATE TABLE pit.series AS FROM (VALUES ('PAYEMS', 'Employees', true), ('DGS10', 'Yield', true)) "
            "AS s(series_id, title, is_published)"
        )
        con.execute(VINTAGES)
        con.execute(macro_statements())
        yield con


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def test_releases_of_a_period_in_order_and_none_whose_first_release_is_unknown(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        con,
        "SELECT month(observation_date), releases, first_value, second_value, third_value, latest_value, revision "
        "FROM revisions('payems')",
    )
    assert found == [
        (1, 4, 100, 110, 108, 104, 4),
        (2, 2, 200, 192, None, 192, -8),
        (4, 1, 400, None, None, 400, 0),
    ]


def test_bias_and_size_of_the_revisions(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "SELECT periods, revised_share, bias, mean_absolute_revision, bias_second, mean_absolute_second, "
        "largest_revision FROM revision_summary('PAYEMS')",
    )
    assert found == [(3, pytest.approx(2 / 3), pytest.approx(-4 / 3), 4.0, 1.0, 9.0, -8.0)]


def test_a_series_without_real_vintages_has_no_releases(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(con, "FROM revisions('DGS10')") == []
    assert rows(con, "SELECT periods, bias FROM revision_summary('DGS10')") == [(0, None)]


@pytest.mark.parametrize("macro", ["revisions", "revision_summary"])
def test_an_unknown_series_is_an_error_with_the_nearest_name(
    con: duckdb.DuckDBPyConnection, macro: str
) -> None:
    with pytest.raises(duckdb.Error, match="did you mean PAYEMS"):
        rows(con, f"FROM {macro}('PAYEM')")
