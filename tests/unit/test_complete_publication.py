"""A publication that is not complete says so: until there is a complete one, no month-end is ever frozen."""

from __future__ import annotations

import datetime as dt

from assets.catalog.loader import load_catalog
from assets.warehouse.readers import LABEL_ROLES, why_incomplete
from tests.builders import an_archive

READ = [s.series_id for s in load_catalog().in_profile("live") if s.role in LABEL_ROLES]


def test_the_series_never_fetched_that_keep_rows_from_being_frozen_are_not_left_unnamed() -> None:
    with an_archive() as con:
        for series_id in READ:
            said = why_incomplete(con, "live")
            assert said is not None and series_id in said
            con.execute(
                "INSERT INTO raw.vintages VALUES (?, '2026-01-01', '2026-02-06', 1, 'captured', ?, 'f')",
                [series_id, dt.datetime(2026, 3, 1)],
            )
        assert why_incomplete(con, "live") is None
