"""What was known when: the one lookup everything rests on, and archives made from an archive."""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.compute.archive import (
    ABSENT,
    Archive,
    Captures,
    captured_by,
    cut,
    resolve,
)
from assets.compute.calendar import days
from tests.helpers import archive, published_after, vintages

AUGUST = "2025-08-01"


def value(stored: Archive, series_id: str, observation: str, as_of: str) -> float:
    rows = stored.rows_as_of(series_id, days(observation), days(as_of))
    return float(stored.take(stored.value, rows, np.nan)[0])


def test_a_revision_does_not_reach_back_before_its_own_day() -> None:
    stored = archive(vintages("PAYEMS", [(AUGUST, "2025-09-05", 22.0), (AUGUST, "2025-10-03", -4.0)]))
    assert value(stored, "PAYEMS", AUGUST, "2025-10-02") == 22.0
    assert value(stored, "PAYEMS", AUGUST, "2025-10-03") == -4.0


def test_a_withdrawn_figure_is_missing_and_its_older_value_does_not_return() -> None:
    stored = archive(vintages("UNRATE", [(AUGUST, "2025-09-05", 4.3), (AUGUST, "2025-09-20", None)]))
    assert value(stored, "UNRATE", AUGUST, "2025-09-19") == 4.3
    assert np.isnan(value(stored, "UNRATE", AUGUST, "2025-09-21"))


def test_the_search_never_runs_into_another_observation_or_series() -> None:
    stored = archive(
        vintages("A", [("2025-07-01", "2025-08-01", 1.0), ("2025-09-01", "2025-12-01", 3.0)]),
        vintages("B", [("2025-07-01", "2025-08-01", 7.0)]),
    )
    assert np.isnan(value(stored, "A", AUGUST, "2026-01-01")), "no vintage of August is stored"
    assert np.isnan(value(stored, "A", "2025-09-01", "2025-11-30")), "July's vintage is the row before it"
    assert np.isnan(value(stored, "B", "2025-06-01", "2026-01-01")), "the row before it is of series A"


def test_an_unknown_series_and_an_empty_date_are_absent() -> None:
    stored = archive(vintages("A", [("1970-01-01", "1970-02-01", 1.0)]))
    rows = stored.rows_as_of("A", np.array(["NaT"], dtype="datetime64[D]"), days("2026-01-01"))
    assert rows.tolist() == [ABSENT], "an empty date shares its bits with 1970-01-01"
    assert stored.rows_as_of("C", days(AUGUST), days("2026-01-01")).tolist() == [ABSENT]
    assert not stored.has("C")


def test_the_last_capture_counts_and_a_cut_by_capture_hides_later_ones() -> None:
    first = vintages("A", [(AUGUST, "2025-09-05", 1.0)], captured_at="2025-09-05T22:00:00")
    corrected = vintages("A", [(AUGUST, "2025-09-05", 2.0)], captured_at="2025-10-08T22:00:00")
    late = vintages("A", [(AUGUST, "2025-09-20", 3.0)], captured_at="2025-10-09T22:00:00")
    assert value(archive(first, corrected, late), "A", AUGUST, "2025-09-30") == 3.0
    assert value(stored_at("2025-09-30T22:00:00", first, corrected, late), "A", AUGUST, "2025-09-30") == 1.0
    assert np.isnan(
        value(stored_at("2025-09-04T22:00:00", first, corrected, late), "A", AUGUST, "2025-09-30")
    )


def stored_at(moment: str, *frames: pd.DataFrame) -> Archive:
    """The archive as it was read at a moment."""
    captures = Captures.from_frame(pd.concat(frames, ignore_index=True))
    return resolve(captured_by(captures, int(np.datetime64(moment, "us").astype("int64"))))


def test_a_vintage_the_publisher_took_back_is_not_read_and_the_one_before_is() -> None:
    """Case 01: 9.9 was posted by mistake on 13 May and is no longer listed."""
    good = vintages("A", [(AUGUST, "2025-09-05", 4.29)], captured_at="2025-09-05T22:00:00")
    wrong = vintages("A", [(AUGUST, "2025-09-13", 9.9)], captured_at="2025-09-13T22:00:00")
    back = vintages("A", [(AUGUST, "2025-09-13", None)], "retracted", captured_at="2025-09-19T22:00:00")
    again = vintages("A", [(AUGUST, "2025-09-13", 4.4)], captured_at="2025-09-26T22:00:00")
    assert value(archive(good, wrong, back), "A", AUGUST, "2025-12-31") == 4.29
    assert value(stored_at("2025-09-18T22:00:00", good, wrong, back), "A", AUGUST, "2025-12-31") == 9.9
    assert value(archive(good, wrong, back, again), "A", AUGUST, "2025-12-31") == 4.4
    assert not archive(wrong, back).has("A"), "a series of which everything was retracted is not stored"


def test_inside_the_history_of_vintages_a_reconstructed_date_is_never_read() -> None:
    """A figure dated by lag rule on 1 October while ALFRED has 20 October is hindsight."""
    history = vintages("A", [("2025-06-01", "2025-07-04", 1.0), (AUGUST, "2025-10-20", 3.0)])
    by_rule = vintages("A", [(AUGUST, "2025-10-01", 3.5)], "lag_rule")
    assert np.isnan(value(archive(history, by_rule), "A", AUGUST, "2025-10-10"))
    assert value(archive(history, by_rule), "A", AUGUST, "2025-10-20") == 3.0
    assert value(archive(history[:1], by_rule), "A", AUGUST, "2025-10-10") == 3.5, "no vintage of August"
    later = vintages("A", [("2025-06-01", "2025-08-01", 2.0)], "lag_rule")
    assert value(archive(history, later), "A", "2025-06-01", "2025-12-31") == 1.0, "it would hide the vintage"


def test_before_the_history_of_vintages_the_reconstructed_date_is_read_up_to_the_first_vintage() -> None:
    """The first vintage of a series is the first that is known of older figures."""
    history = vintages("A", [("1990-01-01", "2000-01-07", 1.5), ("1999-12-01", "2000-01-07", 1.0)])
    by_rule = vintages("A", [("1990-01-01", "1990-02-05", 1.4)], "lag_rule")
    stored = archive(history, by_rule)
    assert value(stored, "A", "1990-01-01", "1995-01-01") == 1.4
    assert value(stored, "A", "1990-01-01", "2000-01-07") == 1.5


def test_the_newest_observation_is_the_newest_that_had_appeared() -> None:
    rows = [("2025-07-01", "2025-08-05", 1.0), (AUGUST, "2025-09-05", 2.0), ("2025-07-01", "2025-09-09", 1.1)]
    observations = archive(vintages("A", rows)).observations("A")
    positions = observations.newest_position(days(["2025-08-04", "2025-08-05", "2025-09-04", "2025-09-10"]))
    assert positions.tolist() == [ABSENT, 0, 0, 1], "a late revision of July is not a newer observation"


GDP = vintages(
    "GDP",
    [
        ("2025-01-01", "2025-04-30", 100.0),
        ("2025-01-01", "2025-06-26", 101.0),
        ("2025-04-01", "2025-07-30", 102.0),
    ],
)
UNRATE = published_after("UNRATE", {"2025-07-01": 4.2}, lag_days=40)


def test_a_cut_keeps_what_was_known_that_day_included_and_nothing_else() -> None:
    full = archive(GDP, UNRATE)
    known = cut(full, np.datetime64("2025-06-26"))
    assert len(known.key) == 2
    assert value(known, "GDP", "2025-01-01", "2026-01-01") == 101.0
    assert np.isnan(value(known, "GDP", "2025-04-01", "2026-01-01"))
    assert (known.has("UNRATE"), full.has("UNRATE")) == (False, True)
    assert len(cut(full, np.datetime64("1990-01-01")).key) == 0
