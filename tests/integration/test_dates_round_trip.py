"""Dates outside of what fits in nanoseconds are read as they were stored; an open end is 9999-12-31 everywhere."""

from __future__ import annotations

import datetime as dt

from assets.catalog.loader import load_catalog
from assets.warehouse.readers import read_table
from assets.warehouse.schema import KEPT_TABLES
from tests.builders import Row, a_payload, a_series, an_archive, merge_payload, series_as_of

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
    tables = load_catalog().tables
    with an_archive() as con:
        merge_payload(con, a_series(), a_payload(ROWS), run_date=LAST)
        observations, known = read_table(con, "raw.observations"), series_as_of(con, "UNRATE", LAST)
        kept = [read_table(con, f"{tables[name].layer}.{name}") for name in KEPT_TABLES]
    real = observations[observations["vintage_source"] == "alfred"]
    days = real[["observation_date", "realtime_start", "realtime_end"]].astype(str).to_numpy().tolist()
    ends = ("9999-12-31", "2024-12-30", "9999-12-31", "9999-12-31", "9999-12-31")
    assert days == [[row[0], row[2], end] for row, end in zip(ROWS, ends, strict=True)]
    assert set(known["realtime_end"].astype(str)) == {"9999-12-31"}
    for frame in (observations, known, *kept):
        assert not [name for name, dtype in frame.dtypes.items() if str(dtype) == "datetime64[ns]"]
