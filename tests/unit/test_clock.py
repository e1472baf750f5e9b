"""A clock that went backwards, or another time zone, changes nothing published."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from assets.publish.manifest import publication_time
from assets.warehouse.connection import utc
from pipelines.settings import load_settings
from tests.builders import NOON, a_payload, a_series, an_archive, merge_payload, series_as_of

DAY = dt.date(2026, 6, 1)
PUBLISHED = NOON + dt.timedelta(minutes=1)
PUBLICATION = """
INSERT INTO ops.publications BY NAME SELECT 'r' AS release_id, 'r' AS run_id, 'sample' AS profile,
  '1' AS method_version, DATE '2026-06-01' AS as_of_date, ?::TIMESTAMP AS published_at, 'x' AS regime,
  'bubble' AS condition_state, 1 AS new_month_ends, 1 AS file_bytes, 'x' AS file_sha256
"""


def test_a_figure_fetched_after_a_publication_is_later_than_it_even_if_the_clock_went_back() -> None:
    series = a_series("UNRATE")
    with an_archive() as con:
        for value, moment in ((4.2, NOON), (9.9, NOON - dt.timedelta(days=3))):
            merge_payload(con, series, a_payload([("2026-03-01", value)]), captured_at=moment)
            con.execute(
                PUBLICATION.replace("'r' AS release_id", f"'{value}' AS release_id"), [utc(PUBLISHED)]
            )
        then = series_as_of(con, "UNRATE", DAY, captured_until=PUBLISHED)
        now = series_as_of(con, "UNRATE", DAY)
        assert list(then["value"]) == [4.2]
        assert list(now["value"]) == [9.9]
        later = publication_time(con, NOON - dt.timedelta(days=3))
    assert later > utc(PUBLISHED)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
def test_the_time_zone_changes_no_timestamp_and_no_run_date(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        with an_archive() as con:
            assert publication_time(con, NOON) == utc(NOON)
        assert load_settings(environ={"REGIME_PROFILE": "sample"}).run_date == dt.date(2026, 9, 30)
    finally:
        monkeypatch.undo()
        time.tzset()
