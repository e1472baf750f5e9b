"""Edges of the lookup everything rests on; `test_asof_agreement` compares the whole of it with a plain loop."""

from __future__ import annotations

import numpy as np

from assets.compute.archive import ABSENT, cut
from assets.compute.calendar import days
from tests.helpers import archive, published_after, vintages

AUGUST = "2025-08-01"


def test_an_unknown_series_and_an_empty_date_are_absent() -> None:
    stored = archive(vintages("A", [("1970-01-01", "1970-02-01", 1.0)]))
    rows = stored.rows_as_of("A", np.array(["NaT"], dtype="datetime64[D]"), days("2026-01-01"))
    assert rows.tolist() == [ABSENT], "an empty date shares its bits with 1970-01-01"
    assert stored.rows_as_of("C", days(AUGUST), days("2026-01-01")).tolist() == [ABSENT]
    assert not stored.has("C")


def test_the_newest_observation_is_the_newest_that_had_appeared() -> None:
    rows = [("2025-07-01", "2025-08-05", 1.0), (AUGUST, "2025-09-05", 2.0), ("2025-07-01", "2025-09-09", 1.1)]
    observations = archive(vintages("A", rows)).observations("A")
    positions = observations.newest_position(days(["2025-08-04", "2025-08-05", "2025-09-04", "2025-09-10"]))
    assert positions.tolist() == [ABSENT, 0, 0, 1], "a late revision of July is not a newer observation"


def test_a_cut_keeps_what_was_known_that_day_included_and_nothing_else() -> None:
    stored = [
        ("2025-01-01", "2025-04-30", 100.0),
        ("2025-01-01", "2025-06-26", 101.0),
        ("2025-04-01", "2025-07-30", 102.0),
    ]
    full = archive(vintages("GDP", stored), published_after("UNRATE", {"2025-07-01": 4.2}, lag_days=40))
    known = cut(full, np.datetime64("2025-06-26"))
    assert known.value.tolist() == [100.0, 101.0]
    assert (known.has("GDP"), known.has("UNRATE"), full.has("UNRATE")) == (True, False, True)
    assert len(cut(full, np.datetime64("1990-01-01")).key) == 0
