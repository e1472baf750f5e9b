"""Progress lines about a long fetch: the estimate leaves out waits, and a short fetch writes none."""

from __future__ import annotations

import pytest

from assets.progress import SeriesProgress
from assets.sources.pacing import Clock, RetryBudget


class Time:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_waits_do_not_stretch_the_estimate_and_a_failed_series_still_counts_as_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "stimulus_regime")
    time = Time()
    budget = RetryBudget(900.0, Clock(time, lambda seconds: setattr(time, "now", time.now + seconds)))
    lines = SeriesProgress("raw/fred", 10, lambda: budget.spent, time)
    for _ in range(4):
        time.now += 2.0
        lines.step(3)
    budget.wait(100.0)
    time.now += 2.0
    lines.step(1, done=0)
    assert [record.getMessage() for record in caplog.records] == [
        "raw/fred: 4 of 10 series, 13 requests in 110 s, about 12 s to go"
    ]


def test_a_short_fetch_and_the_last_series_write_no_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "stimulus_regime")
    time = Time()
    lines = SeriesProgress("raw/fred", 2, lambda: 0.0, time)
    time.now = 14.0
    lines.step(1)
    time.now = 60.0
    lines.step(1)
    assert caplog.records == []
