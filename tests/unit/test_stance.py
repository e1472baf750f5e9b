"""Which way policy leans, from which day a decision counts, and how high the rate is."""

from __future__ import annotations

import datetime as dt
from itertools import product

import numpy as np
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import PolicyEvent
from assets.compute.calendar import days
from assets.compute.stance import (
    PolicyStance,
    announced_direction,
    level_of_policy,
    policy_stance,
)

CATALOG = load_catalog()
RULES = CATALOG.method.stance
CHECKED = np.datetime64("2026-09-17", "D")
NAN = float("nan")


def event(
    announced: str, direction: int | None = 1, effective: str | None = None, **keys: object
) -> PolicyEvent:
    plain: dict[str, object] = {
        "announced_on": dt.date.fromisoformat(announced),
        "effective_on": dt.date.fromisoformat(effective) if effective else None,
        "kind": "balance_sheet",
        "instrument": "purchases",
        "what": "An announcement of the Committee",
        "size_text": "not stated",
        "direction": direction,
        "changes_direction": True,
        "is_dated": True,
        "source": "a test",
        "mark": "V",
    }
    return PolicyEvent.model_validate({**plain, **keys})


def stance(
    rate_change: float, direction: int, impulse: float = NAN, as_of: str = "2026-09-30"
) -> PolicyStance:
    """Headline and realised stance of one date, after an announcement in that direction."""
    return policy_stance(
        np.array([rate_change]),
        np.array([impulse]),
        days(as_of),
        [event("2020-01-02", direction)],
        CHECKED,
        RULES,
    )


BUYS = event("2008-11-25", 1)
SOON = event("2025-01-01", -1, effective="2025-04-01")  # 90 days, equality included
FAR = event("2025-01-01", -1, effective="2025-04-02")
ENDS = event("2009-11-04", 0, effective="2010-03-31")
ONLY_SHOWN = event("2017-06-14", -1, changes_direction=False, is_dated=False)  # a plan without a date
RATE = event("2017-06-15", None, kind="rate", changes_direction=False)


@pytest.mark.parametrize(
    ("events", "as_of", "direction"),
    [
        ([event("2010-11-03")], ["2010-11-02", "2010-11-03"], [0, 1]),
        ([SOON], ["2024-12-31", "2025-01-01"], [0, -1]),
        ([BUYS, FAR], ["2025-04-01", "2025-04-02"], [1, -1]),
        ([event("2014-10-29", 0), ONLY_SHOWN, RATE], ["2017-07-01"], [0]),
        ([BUYS, ENDS], ["2010-03-30", "2010-03-31"], [1, 0]),
        ([event("2020-03-15", 0), event("2020-03-15", 1)], ["2020-03-20"], [1]),
    ],
    ids=["not a day early", "within 90 days", "later than 90 days", "plans", "in order", "last of a day"],
)
def test_a_decision_counts_from_its_day_and_no_earlier(
    events: list[PolicyEvent], as_of: list[str], direction: list[int]
) -> None:
    found = announced_direction(days(as_of), events, RULES.announcement_horizon_days)
    assert found.tolist() == direction


NAMES = {1: "stimulus", 0: "neutral", -1: "tightening"}


def test_stance_is_the_sign_of_announced_balance_sheet_and_rate() -> None:
    """A rate change of exactly a fifth of a point counts; an absent rate has no direction."""
    for change, direction in product(
        (-0.25, -0.2, -0.19, 0.0, 0.19, 4.25 - 4.05, 0.2, 0.25, NAN), (1, 0, -1)
    ):
        rate = 1 if change <= -0.2 else -1 if round(change, 9) >= 0.2 else 0
        sign = int(np.sign(rate + direction))
        moved = [name for name, of in (("balance_sheet", direction), ("rate", rate)) if of]
        driver = "none" if not sign else "both" if len(moved) == 2 else moved[0]
        found = stance(change, direction)
        assert (found.rate[0], found.stance[0], found.driver[0]) == (rate, NAMES[sign], driver), (
            change,
            direction,
        )


@pytest.mark.parametrize(("impulse", "direction"), [(0.75, 0), (0.76, 1), (-0.75, 0), (-0.76, -1), (NAN, 0)])
def test_an_impulse_of_exactly_three_quarters_does_not_count(impulse: float, direction: int) -> None:
    found = stance(0.0, 0, impulse)
    assert found.balance_sheet_realised.tolist() == [direction]
    assert found.stance[0] == "neutral", "what moved is not what was announced"
    assert found.realised[0] == NAMES[direction]


def test_a_ledger_not_checked_for_60_days_makes_the_stance_provisional() -> None:
    assert not stance(0.0, 1, as_of="2026-11-16").is_provisional[0]
    assert stance(0.0, 1, as_of="2026-11-17").is_provisional[0]


def level(rate: float, core: float) -> dict[str, object]:
    figures = (np.array([figure]) for figure in (rate, core, 0.0))
    columns = level_of_policy(*figures, days("2026-09-30"), CATALOG.method.policy_level)
    return {name: values[0] for name, values in columns.items()}


@pytest.mark.parametrize(
    ("rate", "word", "distance"),
    [(2.25, "accommodative", 0.25), (2.5, "neutral", 0.0), (3.25, "neutral", 0.25),
     (3.5, "neutral", 0.0), (5.0, "restrictive", 1.5)],
)  # fmt: skip
def test_the_band_includes_its_limits(rate: float, word: str, distance: float) -> None:
    found = level(rate, 2.0)
    assert (found["policy_level"], found["policy_level_distance_pp"]) == (word, distance)
    assert level(rate, NAN)["policy_level"] is None
