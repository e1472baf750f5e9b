"""Late figures are those that would have stood in a published row: one a figure, and none that changes nothing."""

from __future__ import annotations

import datetime as dt

from assets.warehouse.late import late_figures
from tests.builders import an_archive

PUBLISHED = dt.datetime(2026, 5, 1, 3)
AFTER = PUBLISHED + dt.timedelta(days=1)


def late(*vintages: tuple[str, str, float, dt.datetime]) -> list[tuple[str, str, float | None, float]]:
    """Observation, first day, value used and value late; given observation, first day, value and capture."""
    with an_archive() as con:
        con.execute(
            "INSERT INTO ops.published_rows BY NAME SELECT 'live' AS profile, '1' AS method_version, "
            "DATE '2026-04-30' AS as_of_date, ? AS first_published_at, 'r' AS release_id, 'x' AS regime, "
            "repeat('0', 64) AS row_sha256",
            [PUBLISHED],
        )
        for observation, start, value, captured in vintages:
            con.execute(
                "INSERT INTO raw.vintages VALUES ('UNRATE', ?, ?, ?, 'alfred', ?, 'f')",
                [observation, start, value, captured],
            )
        found = late_figures(con, "live", "1")
    columns = ["observation_date", "realtime_start", "value_used", "value_late"]
    rows = found[columns].astype({"observation_date": str, "realtime_start": str}).itertuples(index=False)
    return [(row[0], row[1], None if row[2] != row[2] else row[2], row[3]) for row in rows]


def test_of_a_whole_history_that_came_late_only_what_would_have_stood_is_listed() -> None:
    """An index estimated anew every week has hundreds of vintages of each figure."""
    history = [("2026-03-01", f"2026-04-{day:02}", day / 10, AFTER) for day in (3, 10, 17, 24)]
    assert late(*history) == [("2026-03-01", "2026-04-24", None, 2.4)]


def test_a_late_vintage_that_was_replaced_before_the_row_is_not_listed() -> None:
    """The row had the newer one already."""
    used = ("2026-03-01", "2026-04-24", 4.3, PUBLISHED - dt.timedelta(days=2))
    assert late(used, ("2026-03-01", "2026-04-03", 4.2, AFTER)) == []
    assert late(used, ("2026-03-01", "2026-04-24", 4.4, AFTER)) == [("2026-03-01", "2026-04-24", 4.3, 4.4)]
