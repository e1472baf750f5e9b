"""Release dates and periods of FRED: never a day too early, late only what was planned, no reversed period."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from assets.compute.calendar import Days, days
from assets.sources.fred_vintages import (
    expected_on,
    is_overdue,
    next_stamp,
    parse_observations,
    publications,
)
from assets.sources.parse import Unusable
from tests.builders import a_series


def found(series_id: str, observations: list[str], dates: list[str] | Days) -> dict[str, str]:
    known = publications(days(observations), a_series(series_id), days(dates))
    return {str(stamp): str(day) for stamp, day in known.items()}


def test_a_monthly_figure_takes_its_own_release_day_and_no_day_serves_two_periods() -> None:
    dates = [
        "1995-12-08",
        "1996-01-19",
        "1996-02-02",
        "1996-03-08",
    ]  # January's was two weeks late (shutdown)
    assert found("UNRATE", ["1995-12-01", "1996-01-01", "1996-02-01"], dates) == {
        "1995-12-01": "1996-01-19", "1996-01-01": "1996-02-02", "1996-02-01": "1996-03-08",
    }  # fmt: skip
    dates = ["2013-09-06", "2013-10-22", "2013-11-08", "2013-12-06"]
    days_of = found("UNRATE", ["2013-09-01", "2013-10-01"], dates)
    assert days_of == {"2013-09-01": "2013-10-22", "2013-10-01": "2013-11-08"}


def test_a_quarterly_figure_takes_the_first_of_three_estimates() -> None:
    dates = ["2018-01-26", "2018-02-28", "2018-03-28", "2018-04-27", "2018-05-30", "2018-06-28", "2018-07-27"]
    assert found("GDP", ["2018-01-01"], dates) == {"2018-01-01": "2018-04-27"}


def test_a_weekly_release_never_dates_a_monthly_figure_before_its_lag() -> None:
    """FRED does not state which week brought the month's figure; a week too early would be look-ahead."""
    weekly = np.arange(np.datetime64("1999-01-07"), np.datetime64("1999-12-31"), 7)
    (day,) = found("M2SL", ["1999-03-01"], weekly).values()
    assert day >= "1999-04-28"


def test_periods_before_the_calendar_begins_are_left_to_the_lag() -> None:
    assert found("UNRATE", ["1994-01-01"], ["1995-12-08", "1996-01-19", "1996-02-02"]) == {}
    assert found("DGS10", ["1996-01-02"], ["1996-01-02", "1996-01-03"]) == {}


def test_a_figure_is_overdue_after_its_lag_and_not_for_ever() -> None:
    april, last_year = dt.date(2026, 4, 1), dt.date(2025, 4, 1)
    assert not is_overdue(april, a_series("UNRATE"), dt.date(2026, 6, 10))
    assert is_overdue(april, a_series("UNRATE"), dt.date(2026, 6, 11))
    assert not is_overdue(last_year, a_series("UNRATE"), dt.date(2026, 6, 11))


def test_the_planned_day_of_the_next_figure() -> None:
    series, newest = a_series("UNRATE"), dt.date(2026, 4, 1)
    assert str(next_stamp(newest, series)) == "2026-05-01"
    assert str(expected_on(newest, series, days(["2026-05-08", "2026-06-05", "2026-07-02"]))) == "2026-06-05"
    assert np.isnat(expected_on(newest, series, days(["2026-05-08"])))
    assert np.isnat(next_stamp(newest, a_series("DGS10")))


def test_a_period_that_ends_before_it_begins_is_refused_by_name() -> None:
    def of(start: str, end: str) -> ET.Element:
        period = f'realtime_start="{start}" realtime_end="{end}"'
        return ET.fromstring(
            f'<observations><observation {period} date="2024-03-01" value="3.8"/></observations>'
        )

    assert len(parse_observations(of("2024-05-03", "2024-05-03"))) == 1
    with pytest.raises(Unusable, match="'2024-05-06 to 2024-05-03' on 2024-03-01 is no real-time period"):
        parse_observations(of("2024-05-06", "2024-05-03"))
