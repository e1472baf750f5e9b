"""How far a long reading is, and how long it will still take, told without counting the waits as work."""

from __future__ import annotations

import pytest

from assets.raw.headway import Headway
from assets.sources.pacing import Clock, RetryBudget


class Time:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_wait_does_not_stretch_the_estimate_and_a_failed_series_is_still_to_come(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "stimulus_regime")
    time = Time()
    budget = RetryBudget(900.0, Clock(time, lambda seconds: setattr(time, "now", time.now + seconds)))
    headway = Headway("raw/fred", 10, budget, time)
    for _ in range(4):
        time.now += 2.0
        headway.step(3)
    budget.wait(100.0)
    time.now += 2.0
    headway.step(1, done=0)
    assert [record.getMessage() for record in caplog.records] == [
        "raw/fred: 4 of 10 series, 13 requests in 110 s, about 12 s to go"
    ]


def test_a_short_reading_and_its_end_are_not_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "stimulus_regime")
    time = Time()
    headway = Headway("raw/fred", 2, RetryBudget(0.0), time)
    time.now = 14.0
    headway.step(1)
    time.now = 60.0
    headway.step(1)
    assert caplog.records == []
