"""Pace without bursts, retries with an end, the wait of a Retry-After, and progress lines without the waits."""

from __future__ import annotations

from itertools import pairwise

import pytest

from assets.progress import SeriesProgress
from assets.sources.pacing import (
    Clock,
    NothingListens,
    Pacer,
    Permanent,
    RateLimited,
    RetryBudget,
    RetryPolicy,
    Transient,
    refusal,
    retry_after_seconds,
)


class Time:
    """A clock that moves only by sleeping."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)


def test_requests_are_spread_evenly_and_quiet_time_is_not_saved_up() -> None:
    time = Time()
    pacer, starts = Pacer(1.8, time.clock), []
    for pause in (0, 0, 0.3, 60, 0, 0):
        time.now += pause
        pacer.wait()
        starts.append(time.now)
    gaps = [round(after - before, 6) for before, after in pairwise(starts)]
    assert min(gaps) == pytest.approx(1 / 1.8, abs=1e-5)
    assert gaps[-2:] == pytest.approx([1 / 1.8] * 2, abs=1e-5)


def attempts(failure: Exception, time: Time, budget: RetryBudget | None = None) -> int:
    """How often something that fails is tried until the failure is raised."""
    tried = list[int]()

    def fails() -> None:
        tried.append(1)
        raise failure

    with pytest.raises(type(failure)):
        RetryPolicy(clock=time.clock, budget=budget).call(fails)
    return len(tried)


def test_retries_end_with_the_last_failure_and_a_lasting_failure_or_a_spent_budget_means_none() -> None:
    time = Time()
    assert attempts(Transient("x"), time) == 6 and len(time.slept) == 5 and max(time.slept) <= 32
    time = Time()  # without a time in the response, longer each time
    assert attempts(RateLimited("x"), time) == 6 and time.slept == [2, 4, 8, 16, 32]
    time = Time()
    assert attempts(KeyError("x"), time) == attempts(NothingListens("refused"), time) == 1
    assert attempts(Transient("x"), time, RetryBudget(0.0, time.clock)) == 1 and time.slept == []


def test_retry_after_is_read_as_number_or_date() -> None:
    for header, seconds in {
        None: None, "7": 7.0, " 7 ": 7.0, "soon": None, "-3": None,
        "Thu, 01 Jan 1970 00:01:40 GMT": 100.0, "Thu, 01 Jan 1970 00:00:00 GMT": 0.0,
    }.items():  # fmt: skip
        assert retry_after_seconds(header, now=lambda: 0.0) == seconds, header


def test_a_busy_server_is_retried_after_the_wait_it_requests_and_a_lasting_status_is_not() -> None:
    for status in (408, 423, 425, 429, 500, 502, 503, 504, 520, 524):
        failure = refusal(status, "one line", 7.0)
        assert isinstance(failure, Transient) and failure.retry_after == 7.0 and str(failure) == "one line"
        assert isinstance(failure, RateLimited) == (status == 429)
    for status in (204, 301, 400, 401, 403, 404, 410, 451):
        assert isinstance(refusal(status, "one line"), Permanent), status


def test_waits_and_retries_count_against_the_budget_and_first_attempts_do_not() -> None:
    time = Time()
    budget = RetryBudget(20.0, time.clock)

    def slow() -> None:
        time.now += 3.0
        raise Transient("no", retry_after=4.0)

    with pytest.raises(Transient):
        RetryPolicy(clock=time.clock, budget=budget).call(slow)
    # 3 for nothing; then 4 + 3, 4 + 3, 4 + 3 seconds: the last wait is cut where the budget ends
    assert budget.left == 0.0 and time.slept == [4.0, 4.0, 4.0] and time.now == 24.0


def test_waits_do_not_stretch_the_estimate_and_a_failed_series_still_counts_as_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "stimulus_regime")
    time = Time()
    budget = RetryBudget(900.0, time.clock)
    lines = SeriesProgress("raw/fred", 10, lambda: budget.spent, lambda: time.now)
    for _ in range(4):
        time.now += 2.0
        lines.step(3)
    budget.wait(100.0)
    time.now += 2.0
    lines.step(1, done=0)
    assert [record.getMessage() for record in caplog.records] == [
        "raw/fred: 4 of 10 series, 13 requests in 110 s, about 12 s to go"
    ]
