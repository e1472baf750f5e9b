"""Announcements, late releases and cited figures: the rows that decide something, with their dates."""

from __future__ import annotations

import datetime as dt

import pytest

from assets.catalog.loader import load_catalog

CATALOG = load_catalog()
LEDGER = CATALOG.policy_events
DELAYS = {(delay.series_id, str(delay.observation_date)): delay for delay in CATALOG.release_delays}
# Rows that set the announced direction: announcement, effective date (None: at once), direction.
COUNTED = [
    ("2008-11-25", "2008-12-01", 1),
    ("2009-11-04", "2010-03-31", 0),
    ("2010-11-03", None, 1),
    ("2011-06-22", "2011-06-30", 0),
    ("2012-09-13", None, 1),
    ("2014-10-29", "2014-10-31", 0),
    ("2017-09-20", "2017-10-01", -1),
    ("2019-07-31", "2019-08-01", 0),
    ("2019-10-11", "2019-10-15", 1),
    ("2020-03-15", None, 1),
    ("2020-03-23", None, 1),
    ("2022-01-26", "2022-03-01", 0),
    ("2022-05-04", "2022-06-01", -1),
    ("2025-10-29", "2025-12-01", 0),
    ("2025-12-10", "2025-12-12", 1),
]


def test_counted_announcements_are_these() -> None:
    counted = [
        (str(event.announced_on), event.effective_on and str(event.effective_on), event.direction)
        for event in LEDGER.events
        if event.changes_direction
    ]
    assert counted == COUNTED


def test_ledger_names_the_day_it_was_last_checked_and_nothing_later() -> None:
    assert LEDGER.last_checked == dt.date(2026, 9, 30)
    assert LEDGER.desk_notices_until == dt.date(2026, 7, 13)
    assert all(event.announced_on <= LEDGER.last_checked for event in LEDGER.events)


def test_plans_without_a_date_are_shown_and_never_counted() -> None:
    undated = [event for event in LEDGER.events if not event.is_dated]
    assert {str(event.announced_on) for event in undated} == {
        "2017-06-14", "2022-03-16", "2026-07-10", "2026-07-31",
    }  # fmt: skip
    assert not any(event.changes_direction for event in undated)


def test_slower_pace_keeps_the_sign() -> None:
    """A taper is still an expansion, a smaller cap still a run-off."""
    direction = {str(event.announced_on): event.direction for event in LEDGER.events}
    assert direction["2013-12-18"] == direction["2021-11-03"] == direction["2026-02-12"] == 1
    assert direction["2024-05-01"] == direction["2025-03-19"] == -1


@pytest.mark.parametrize(
    ("series_id", "observation_date", "released_on"),
    [
        ("UNRATE", "1995-12-01", "1996-01-19"),
        ("CPIAUCSL", "2013-10-01", "2013-11-20"),
        ("GDPC1", "2018-10-01", "2019-02-28"),
        ("PCEPILFE", "2019-02-01", "2019-04-29"),
        ("UNRATE", "2025-09-01", "2025-11-20"),
        ("PAYEMS", "2025-10-01", "2025-12-16"),
        ("CPIAUCSL", "2025-09-01", "2025-10-24"),
        ("CP", "2025-07-01", "2025-12-23"),
        ("CP", "2025-10-01", "2026-04-09"),
        ("ICSA", "2025-09-27", "2025-11-20"),
        ("ICSA", "2025-11-08", "2025-11-20"),
        ("NCBEILQ027S_GDP_PCT", "2025-07-01", "2026-01-09"),
        ("MTSDS133FMS", "2025-10-01", "2025-11-25"),
    ],
)
def test_late_release(series_id: str, observation_date: str, released_on: str) -> None:
    assert str(DELAYS[series_id, observation_date].released_on) == released_on


def test_figures_of_october_2025_that_were_never_published() -> None:
    never = {delay.series_id for delay in CATALOG.release_delays if delay.never}
    assert never == {"UNRATE", "CPIAUCSL", "CPILFESL", "SHILLER_CPI"}
    assert all(str(delay.observation_date) == "2025-10-01" for delay in CATALOG.release_delays if delay.never)


def test_claims_rows_are_saturdays_without_a_gap() -> None:
    weeks = sorted(delay.observation_date for delay in CATALOG.release_delays if delay.series_id == "ICSA")
    assert len(weeks) == 7 and all(week.weekday() == 5 for week in weeks)
    assert (weeks[-1] - weeks[0]).days == 42


def test_premium_of_the_post_follows_from_its_own_parts() -> None:
    """4.41 - 4.10 = 0.31: the forward yield against the nominal 10-year, at the closes of 4 November 2025."""
    values = {key: reference.value for key, reference in CATALOG.reference_values.items()}
    forward_yield = 100 * values["forward_eps_usd"] / values["sp500_close_index"]
    assert round(forward_yield, 2) == values["forward_earnings_yield_pct"] == 4.41
    premium = values["forward_earnings_yield_pct"] - values["nominal_10y_pct"]
    assert round(premium, 2) == values["forward_equity_risk_premium_pp"] == 0.31
    assert round(values["forward_equity_risk_premium_pp"], 1) == values["post_equity_risk_premium_pp"]
