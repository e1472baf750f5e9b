"""Announcements, late releases and cited figures: the rows that decide something, with their dates."""

from __future__ import annotations

import datetime as dt

from assets.catalog.loader import load_catalog

CATALOG = load_catalog()
LEDGER = CATALOG.policy_events


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
