"""What the sample never meets: odd dates and kinds of rows, revisions, holes, limits, two sources of one figure."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.archive import ABSENT
from assets.compute.calendar import days, first_publication, months_before
from assets.compute.grid import Grid, build_grid, freezable, row_kinds
from assets.compute.lookup import months
from tests.helpers import archive, monthly, published_after, view, vintages

CATALOG = load_catalog()
RULES = CATALOG.method.row_kinds


# ---- days and kinds of rows


def test_months_before_maps_a_month_end_to_a_month_end() -> None:
    dates = days(["2025-08-31", "2025-02-28", "2025-11-05", "2025-08-30"])  # the last: February has no 30th
    assert [*map(str, months_before(dates, 6))] == ["2025-02-28", "2024-08-31", "2025-05-05", "2025-02-28"]
    assert [*map(str, months_before(days("2024-02-29"), 12))] == ["2023-02-28"]
    assert [*map(str, months_before(days("2025-01-15"), 13))] == ["2023-12-15"]


def test_profits_of_a_fourth_quarter_come_out_a_month_later() -> None:
    """Dated 60 days after December they would be known before the annual accounts."""
    second_and_fourth = first_publication(days(["2025-04-01", "2023-10-01"]), CATALOG.series["CP"], {})
    assert [*map(str, second_and_fourth)] == ["2025-08-29", "2024-03-30"]


@pytest.mark.parametrize("released", ["2013-10-22", "2013-10-05"])
def test_a_release_date_replaces_the_lag_rule_whichever_is_later(released: str) -> None:
    september = np.datetime64("2013-09-01", "D")
    dates = first_publication(
        days(["2013-09-01", "2013-08-01"]),
        CATALOG.series["UNRATE"],
        {september: np.datetime64(released, "D")},
    )
    assert [*map(str, dates)] == [released, "2013-09-10"], "and August's is untouched"


def grid(run_date: str) -> Grid:
    return build_grid(np.datetime64("2026-01-31"), np.datetime64(run_date))


def frozen_by(run_date: str, today: str, known: tuple[str, ...] = ()) -> list[dt.date]:
    days = freezable(grid(run_date), np.datetime64(today), [np.datetime64(day) for day in known], RULES)
    return list(days.tolist())


@pytest.mark.parametrize(
    ("run_date", "kinds"),
    [
        ("2026-03-31", ["backfilled", "backfilled", "provisional"]),
        ("2026-04-05", ["backfilled", "backfilled", "provisional", "provisional"]),
        ("2026-04-06", ["backfilled", "backfilled", "backfilled", "provisional"]),
    ],
)
def test_a_month_end_is_provisional_for_five_days(run_date: str, kinds: list[str]) -> None:
    assert list(row_kinds(grid(run_date), RULES)) == kinds


@pytest.mark.parametrize(
    ("day", "is_frozen"),
    [("2026-04-05", False), ("2026-04-06", True), ("2026-04-12", True), ("2026-04-13", False)],
)
def test_a_month_end_is_frozen_from_the_sixth_to_the_twelfth_day(day: str, is_frozen: bool) -> None:
    assert frozen_by(day, day) == [dt.date(2026, 3, 31)] * is_frozen


def test_a_backdated_run_freezes_nothing() -> None:
    """The clock decides, not the run date: a backdated run, or a clock that is behind, freezes nothing."""
    assert frozen_by("2026-04-08", "2026-05-20") == []
    assert frozen_by("2026-04-03", "2026-04-08") == []
    assert frozen_by("2026-04-08", "2026-04-08", ("2026-02-28", "2026-03-31")) == [], "and nothing twice"


# ---- figures


def test_a_figure_goes_stale_the_day_after_its_limit() -> None:
    end = np.datetime64("2025-06-30")
    seen = view(vintages("UNRATE", [("2025-06-01", str(end), 1.0)]), [str(end + 130), str(end + 131)])
    latest = seen.latest("UNRATE")
    assert (latest.present.tolist(), latest.absent_reason.tolist()) == ([True, False], [None, "stale"])
    assert np.isnat(latest.observation_date[1])


def test_an_absent_series_has_a_reason() -> None:
    stored = view(vintages("UNRATE", [("2025-08-01", "2025-09-05", 4.3)]), "2025-09-04")
    assert stored.latest("UNRATE").absent_reason.tolist() == ["not_yet_published"]
    assert stored.latest("PAYEMS").absent_reason.tolist() == ["not_held"]
    seen = view(vintages("BAA10Y", [("2025-08-01", "2025-08-02", 1.7)]), "2025-08-03", profile="sample")
    assert seen.latest("BAA10Y").absent_reason.tolist() == ["not_in_profile"], (
        "stored, yet not of this profile"
    )


def test_a_change_takes_both_ends_as_known_that_day_and_not_as_first_printed() -> None:
    rows = [
        ("2024-04-01", "2024-07-25", 100.0),
        ("2024-04-01", "2025-09-25", 101.0),  # annual revision
        ("2025-04-01", "2025-07-30", 102.0),
    ]
    change = view(vintages("GDPC1", rows), ["2025-09-24", "2025-09-25"]).change_pct("GDPC1", months(12))
    assert change.value.tolist() == pytest.approx([2.0, 100 * (102 / 101 - 1)])
    assert [str(day) for day in change.available_on] == ["2025-07-30", "2025-09-25"]


def test_a_base_that_was_never_published_leaves_the_month_before_it() -> None:
    """October 2025 never came out: in November 2026 the newest y/y change with a base is September's."""
    values = monthly("2025-08-01", [100.0, 101.0, None, 102.0, *[102.0] * 9, 105.0, 106.0])
    assert list(values)[-1] == "2026-10-01"
    change = view(published_after("CPIAUCSL", values, 43), "2026-11-15").change_pct("CPIAUCSL", months(12))
    assert str(change.observation_date[0]) == "2026-09-01"
    assert change.value[0] == pytest.approx(100 * (105 / 101 - 1))


def test_a_base_is_never_the_nearest_other_month() -> None:
    values = monthly("2025-09-01", [101.0, None, 102.0])
    change = view(published_after("CPIAUCSL", values, 43), "2026-01-15").change_pct("CPIAUCSL", months(1))
    assert not change.present.any(), "November on September would be two months"
    assert change.absent_reason.tolist() == ["no_base"]


def test_going_back_for_a_base_ends_at_the_staleness_limit() -> None:
    values = {"2024-01-01": 100.0, "2025-01-01": 103.0, "2025-06-01": 104.0}
    seen = view(published_after("CPIAUCSL", values, 43), ["2025-06-10", "2025-07-20"])
    change = seen.change_pct("CPIAUCSL", months(12))
    assert change.value[0] == pytest.approx(3.0), "January's, 130 days after its end"
    assert not change.present[1], "a month later January's is stale, and June has no base"
    assert change.absent_reason[1] == "no_base"


def test_a_step_series_keeps_its_value_while_the_next_row_is_not_known_yet() -> None:
    """The day's own row comes the next morning: without it the rate of the day before is in force."""
    rows = vintages("DFEDTARU", [("2025-06-29", "2025-06-29", 4.5), ("2025-06-30", "2025-07-01", 4.25)])
    seen = view(rows, "2025-06-30")
    assert seen.in_force_at("DFEDTARU", seen.as_of).value.tolist() == [4.5]


@pytest.mark.parametrize(
    ("series_id", "source", "pseudo"),
    [
        ("UNRATE", "lag_rule", True),
        ("UNRATE", "alfred", False),
        ("UNRATE", "captured", False),
        ("GS10", "lag_rule", False),  # market rates are not revised
    ],
)
def test_only_a_reconstructed_date_of_a_revisable_series_is_pseudo(
    series_id: str, source: str, pseudo: bool
) -> None:
    rows = vintages(series_id, [("2025-08-01", "2025-09-05", 4.3)], source)
    assert view(rows, "2025-09-05").latest(series_id).is_pseudo.tolist() == [pseudo]


def test_a_change_is_as_weak_as_its_weakest_end() -> None:
    base = vintages("UNRATE", [("2024-08-01", "2024-09-06", 4.2)], "lag_rule")
    now = vintages("UNRATE", [("2025-08-01", "2025-09-05", 4.3)], "alfred")
    change = view([base, now], "2025-09-05").difference("UNRATE", months(12))
    assert change.is_pseudo.tolist() == [True]
    assert str(change.observation_date[0]) == "2025-08-01"


def test_an_unknown_series_and_an_empty_date_are_absent() -> None:
    stored = archive(vintages("A", [("1970-01-01", "1970-02-01", 1.0)]))
    rows = stored.rows_as_of("A", np.array(["NaT"], dtype="datetime64[D]"), days("2026-01-01"))
    assert rows.tolist() == [ABSENT], "an empty date shares its bits with 1970-01-01"
    assert stored.rows_as_of("C", days("2025-08-01"), days("2026-01-01")).tolist() == [ABSENT]
    assert not stored.has("C")


def test_the_newest_observation_is_the_newest_that_had_appeared() -> None:
    rows = [
        ("2025-07-01", "2025-08-05", 1.0),
        ("2025-08-01", "2025-09-05", 2.0),
        ("2025-07-01", "2025-09-09", 1.1),
    ]
    observations = archive(vintages("A", rows)).observations("A")
    positions = observations.newest_position(days(["2025-08-04", "2025-08-05", "2025-09-04", "2025-09-10"]))
    assert positions.tolist() == [ABSENT, 0, 0, 1], "a late revision of July is not a newer observation"
