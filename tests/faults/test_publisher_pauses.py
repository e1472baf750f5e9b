"""A publisher that stops responding: the run waits, probes, goes on, and leaves no series out."""

from __future__ import annotations

import datetime as dt

import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.sources import fred_client
from assets.sources.fed_board import FedBoardSource
from assets.sources.pacing import RetryBudget, RetryPolicy
from assets.sources.protocol import Known, Payload, Source, SourceUnreachable
from tests.fakes import faults
from tests.fakes.fed_board import PATH as BOARD_PATH
from tests.fakes.fed_board import fed_board
from tests.fakes.fred_runs import (
    ALWAYS,
    INFO,
    NIGHT,
    OBSERVATIONS,
    SERIES,
    Case,
    fred_run,
    quick_source,
    statuses,
)
from tests.fakes.fred_server import fred_server
from tests.fakes.fred_world import KEY
from tests.fakes.server import running


def test_the_run_after_an_outage_requests_only_what_is_missing(case: Case) -> None:
    """Down for good after the first series: it is kept, the time for retries is spent, and the next run goes on."""
    budget = case.budget = RetryBudget(900.0, case.naps.clock)
    case.server.after[5] = lambda: case.server.script.add("/fred/", faults.status(500), ALWAYS)
    first = case.run()
    assert {name: one.status for name, one in first.items()} == {
        "UNRATE": "new", "ICSA": "unreachable", "DGS10": "unreachable",
    }  # fmt: skip
    assert budget.spent >= 180 and case.held().keys() == {"UNRATE"}
    case.server.script.plans.clear()
    case.server.asked.clear()
    second = case.run(hours=1)
    assert [one.status for one in second.values()] == ["unchanged", "new", "new"]
    assert case.server.count("observations", "UNRATE") == 0


def test_three_failures_in_a_row_pause_and_the_three_are_requested_again(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    case.budget = RetryBudget(900.0, case.naps.clock)
    case.attempts = 1
    case.server.script.add("/fred/", faults.status(500), 3 + 2)  # the three series, then two probes
    done = case.run()
    assert {one.status for one in done.values()} == {"new"}
    assert case.naps.slept == [5.0, 10.0, 20.0]
    lines = [record.getMessage() for record in caplog.records if record.name == "stimulus_regime"]
    assert any("next try in 10 s" in line and "left for retries" in line for line in lines)
    assert any("responds again" in line for line in lines)
    assert "CRITICAL" not in lines and KEY not in "".join(lines)
    assert [one.requests > 2 for one in done.values()] == [True] * 3, "both attempts are counted"


def test_one_series_that_fails_is_requested_again_after_the_last(case: Case) -> None:
    case.budget = RetryBudget(900.0, case.naps.clock)
    case.attempts = 2
    case.server.script.add(OBSERVATIONS, faults.status(500), 2)
    done = case.run()
    assert {one.status for one in done.values()} == {"new"}
    about = [asked["series_id"] for _, path, asked in case.server.asked if path == "/fred/series"]
    assert about == ["UNRATE", "ICSA", "DGS10", "ICSA"]


def test_without_a_budget_nothing_is_requested_again(case: Case) -> None:
    case.budget = RetryBudget(0.0, case.naps.clock)
    case.server.script.add(INFO, faults.status(500))
    done = case.run()
    assert done["ICSA"].status == "unreachable" and sum(case.naps.slept) == 0
    assert case.server.count("/fred/series", "ICSA") == 1


def test_a_refused_connection_counts_as_down_after_half_a_minute(case: Case) -> None:
    budget = RetryBudget(900.0, case.naps.clock)
    with fred_server(case.server.world) as gone:
        source = quick_source(gone, lambda: NIGHT, naps=case.naps, budget=budget)
    done = fred_run(case.con, source, NIGHT, [*SERIES, load_catalog().series["GDP"]], budget)
    assert set(statuses(done)) == {"unreachable"}
    assert case.naps.slept == [5.0, 10.0, 15.0], "three probes"
    assert "not requested: nothing listens" in (done[-1].message or "")
    fred_run(case.con, source, NIGHT + dt.timedelta(hours=1), SERIES, budget)
    assert sum(case.naps.slept) == 30.0, "the next publisher is not waited for: none has responded"


class OneOfMany(Source):
    """A publisher without a probe, whose first `failures` fetches may pass, and whose later ones do not."""

    def __init__(self, failures: int) -> None:
        self.left, self.asked = failures, list[str]()

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        self.asked.append(series.series_id)
        if self.left:
            self.left -= 1
            raise SourceUnreachable("no answer", fred_client.Transient("no answer"))
        raise SourceUnreachable("gone for good")


def test_a_publisher_without_a_probe_gets_the_next_series_instead(case: Case) -> None:
    source = OneOfMany(3)
    done = fred_run(case.con, source, NIGHT, SERIES, RetryBudget(900.0, case.naps.clock))
    assert source.asked == [one.series_id for one in SERIES] * 2
    assert {one.message for one in done} == {"gone for good"} and case.naps.slept == [5.0]


def test_a_publisher_with_few_series_may_not_spend_the_budget_of_the_others(case: Case) -> None:
    budget = RetryBudget(900.0, case.naps.clock)
    case.server.script.add("/fred/", faults.status(500), ALWAYS)
    source = quick_source(case.server, naps=case.naps, attempts=1, budget=budget)
    fred_run(case.con, source, NIGHT, SERIES[:1], budget)
    assert budget.spent == pytest.approx(60, abs=15)


def test_a_file_that_fails_is_requested_again_once_for_all_its_series(case: Case) -> None:
    """Two attempts fail, and the probe's first; the probe's second brings the file, which serves both series."""
    budget = RetryBudget(900.0, case.naps.clock)
    both = [load_catalog().series[series_id] for series_id in ("EBP", "GZ_SPREAD")]
    with running(fed_board()) as server:
        server.faults = [faults.status(500)] * 3
        retries = RetryPolicy(attempts=2, clock=case.naps.clock, budget=budget)
        source = FedBoardSource(server.root + BOARD_PATH, retries)
        done = fred_run(case.con, source, NIGHT, both, budget)
        assert [one.status for one in done] == ["new", "new"]
        assert len(server.requests) == 4 and 5.0 in case.naps.slept
