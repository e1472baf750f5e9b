"""Archives made from an archive: cut at a day, and with today's figures in place of the first ones."""

from __future__ import annotations

import numpy as np

from assets.compute.archive import Archive, as_revised, cut, has_revisions
from assets.compute.calendar import days
from tests.helpers import archive, published_after, vintages

GDP = vintages(
    "GDP",
    [
        ("2025-01-01", "2025-04-30", 100.0),
        ("2025-01-01", "2025-06-26", 101.0),
        ("2025-04-01", "2025-07-30", 102.0),
    ],
)
UNRATE = published_after("UNRATE", {"2025-07-01": 4.2}, lag_days=40)


def value(held: Archive, observation: str, as_of: str) -> float:
    row = held.rows_as_of("GDP", days([observation]), days([as_of]))
    return float(held.take(held.value, row, np.nan)[0])


def test_a_cut_keeps_what_was_known_that_day_included_and_nothing_else() -> None:
    whole = archive(GDP, UNRATE)
    known = cut(whole, np.datetime64("2025-06-26"))
    assert len(known.key) == 2
    assert value(known, "2025-01-01", "2026-01-01") == 101.0
    assert np.isnan(value(known, "2025-04-01", "2026-01-01"))
    assert (known.has("UNRATE"), whole.has("UNRATE")) == (False, True)


def test_a_cut_before_everything_holds_nothing() -> None:
    assert len(cut(archive(GDP), np.datetime64("1990-01-01")).key) == 0


def test_as_revised_knows_today_s_figure_since_the_first_publication() -> None:
    hindsight = as_revised(archive(GDP))
    assert value(hindsight, "2025-01-01", "2025-04-30") == 101.0
    assert np.isnan(value(hindsight, "2025-01-01", "2025-04-29"))
    assert (has_revisions(archive(GDP)), has_revisions(hindsight)) == (True, False)
