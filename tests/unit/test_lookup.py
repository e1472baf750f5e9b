"""Latest figures, staleness, changes inside one vintage date, ratios of one quarter (METHODOLOGY 1)."""

from __future__ import annotations

from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.catalog.loader import load_catalog
from assets.compute.lookup import months
from tests.helpers import monthly, published_after, view, vintages

DAY = np.timedelta64(1, "D")


@pytest.mark.parametrize(
    ("series_id", "observation", "limit"),
    [
        ("DGS10", "2025-06-02", 10),
        ("UNRATE", "2025-06-01", 130),
        ("GDP", "2025-04-01", 230),
    ],
)
def test_a_figure_goes_stale_the_day_after_its_limit(series_id: str, observation: str, limit: int) -> None:
    series = load_catalog().series[series_id]
    end = np.datetime64({"D": observation, "W": observation}.get(series.frequency, "2025-06-30"), "D")
    rows = vintages(series_id, [(observation, str(end), 1.0)])
    latest = view(rows, [str(end + limit * DAY), str(end + (limit + 1) * DAY)]).latest(series_id)
    assert latest.present.tolist() == [True, False]
    assert latest.absent_reason.tolist() == [None, "stale"]
    assert np.isnat(latest.observation_date[1])


def test_an_absent_series_has_a_reason() -> None:
    stored = view(vintages("UNRATE", [("2025-08-01", "2025-09-05", 4.3)]), "2025-09-04")
    assert stored.latest("UNRATE").absent_reason.tolist() == ["not_yet_published"]
    assert stored.latest("PAYEMS").absent_reason.tolist() == ["not_held"]
    sample = {s.series_id: s for s in load_catalog().in_profile("sample")}
    seen = view(vintages("BAA10Y", [("2025-08-01", "2025-08-02", 1.7)]), "2025-08-03", series=sample)
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


# ---- order, the future and the day of capture change nothing in the past

MONTHS = [str(month) for month in np.arange("2024-01", "2025-07", dtype="datetime64[M]")]
Lagged = tuple[str, int, int | None]  # month, days from its start to its publication, value
VINTAGE = st.tuples(st.sampled_from(MONTHS), st.integers(1, 400), st.one_of(st.none(), st.integers(1, 9)))


def unemployment(rows: list[Lagged], captured_at: str = "2026-01-01T00:00:00") -> pd.DataFrame:
    published = [
        (f"{month}-01", str(np.datetime64(month, "D") + lag), None if value is None else float(value))
        for month, lag, value in rows
    ]
    return vintages("UNRATE", published, captured_at=captured_at)


def read_all(frames: list[pd.DataFrame], as_of: list[str]) -> dict[str, np.ndarray]:
    """Every kind of reading of one monthly series."""
    seen = view(frames, as_of)
    readings = {
        "latest": seen.latest("UNRATE"),
        "change": seen.change_pct("UNRATE", months(12)),
        "over": seen.over("UNRATE", lambda v: v.sum(axis=1), [months(1), months(2)]),
        "in_force": seen.in_force_at("UNRATE", seen.as_of),
    }
    return {
        f"{name}.{part}": getattr(reading, part)
        for name, reading in readings.items()
        for part in ("value", "observation_date", "available_on")
    }


@settings(max_examples=60)
@given(
    st.lists(VINTAGE, min_size=2, max_size=40, unique_by=lambda row: row[:2]),
    st.randoms(),
    st.integers(1, 39),
)
def test_order_the_future_and_the_day_of_capture_change_nothing_in_the_past(
    rows: list[Lagged], random: Random, late: int
) -> None:
    past = [row for row in rows if np.datetime64(row[0], "D") + row[1] <= np.datetime64("2025-03-31")]
    as_of = ["2024-12-31", "2025-01-31", "2025-02-28", "2025-03-31"]
    others = [[unemployment(random.sample(rows, len(rows)))], [unemployment(past)] if past else []]
    others.append([unemployment(rows[late:]), unemployment(rows[:late], "2026-04-30T22:00:00")])
    expected = read_all([unemployment(rows)], as_of)
    for frames in filter(None, others):
        for name, value in read_all(frames, as_of).items():
            np.testing.assert_array_equal(value, expected[name], err_msg=name)
