"""The period of a figure: named by its end, from the frequency of its series."""

from __future__ import annotations

import datetime as dt

import pytest

from assets.report.published import Release
from assets.report.words import period, period_end

FREQUENCIES = {"CP": "Q", "DGS10": "D", "TOTBKCR": "W", "CPIAUCSL": "M", "MSPD": "M"}


@pytest.mark.parametrize(
    ("stamp", "frequency", "named", "end"),
    [
        ("2025-10-01", "Q", "Q4 2025", "2025-12-31"),  # a quarter that ends in December, stamped in October
        ("2026-03-31", "Q", "Q1 2026", "2026-03-31"),
        ("2026-04-01", "M", "Apr 2026", "2026-04-30"),
        ("2026-02-28", "M", "Feb 2026", "2026-02-28"),
        ("2025-12-01", "M", "Dec 2025", "2025-12-31"),
        ("2026-06-10", "W", "10 Jun 2026", "2026-06-10"),
        ("2026-07-01", "D", "1 Jul 2026", "2026-07-01"),
    ],
)
def test_a_period_is_named_by_its_end(stamp: str, frequency: str, named: str, end: str) -> None:
    day = dt.date.fromisoformat(stamp)
    assert period(day, frequency) == named
    assert period_end(day, frequency).isoformat() == end


@pytest.mark.parametrize(
    ("stamp", "series_ids", "named"),
    [
        ("2026-01-01", "CP,DGS10", "Q1 2026"),  # the slowest input names the period
        ("2026-07-01", "TOTBKCR,CPIAUCSL", "Jul 2026"),
        ("2026-06-10", "TOTBKCR,CPIAUCSL", "10 Jun 2026"),  # no month is stamped with its tenth day
        ("2026-05-31", "MSPD", "May 2026"),
        (None, "CP", "–"),
    ],
)
def test_a_figure_of_several_series_is_of_the_period_its_date_stamps(
    stamp: str | None, series_ids: str, named: str
) -> None:
    release = Release.__new__(Release)  # without a file: `series` is all that is read
    release.__dict__["series"] = [{"series_id": name, "frequency": f} for name, f in FREQUENCIES.items()]
    assert release.period(None if stamp is None else dt.date.fromisoformat(stamp), series_ids) == named
