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
from assets.warehouse.fetches import Ingested
from tests.fakes import faults
from tests.fakes import fred_server as server_module
from tests.fakes.fed_board import PATH as BOARD_PATH
from tests.fakes.fed_board import fed_board
from tests.fakes.fred_runs import fred_run, quick_source, statuses
from tests.fakes.fred_server import FredServer, fred_server
from tests.fakes.fred_world import KEY, live_world
from tests.fakes.server import running
from tests.faults.fred_case import ALWAYS, INFO, NIGHT, OBSERVATIONS, SERIES, Case

FIVE_MINUTES = 300.0


def _all_of_fred() -> list[Series]:
    return [series for series in load_catalog().in_profile("live") if series.source == "fred"]


def _whole_load(case: Case, server: FredServer, budget: RetryBudget, hours: int = 0) -> list[Ingested]:
    night = NIGHT + dt.timedelta(hours=hours)
    source = quick_source(server, lambda: night, naps=case.naps, attempts=case.attempts, budget=budget)
    return fred_run(case.con, source, night, _all_of_fred(), budget)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [faults.html(503), faults.html(200)], ids=["503", "a page"])
def test_five_minutes_without_fred_in_a_first_load_cost_no_series(case: Case, fault: faults.Fault) -> None:
    """Down from the fortieth request on, until three hundred seconds have been waited."""
    budget = RetryBudget(900.0, case.naps.clock)
    with fred_server(live_world(NIGHT.date())) as server:

        def comes_back() -> None:
            server.script.plans.clear()

        def goes_down() -> None:
            server.script.add("/fred/", fault, ALWAYS)
            case.naps.until[sum(case.naps.slept) + FIVE_MINUTES] = comes_back

        server.after[40] = goes_down
        done = _whole_load(case, server, budget)
        assert set(statuses(done)) == {"new"} and len(done) == len(_all_of_fred())
        assert FIVE_MINUTES <= budget.spent < 450


@pytest.mark.slow
def test_the_run_after_an_outage_requests_only_what_is_missing(case: Case) -> None:
    """Down for good after a third of the load: what came is kept, the rest is named, and the next run fetches it."""
    budget = RetryBudget(900.0, case.naps.clock)
    with fred_server(live_world(NIGHT.date())) as server:
        server.after[40] = lambda: server.script.add("/fred/", faults.status(500), ALWAYS)
        first = _whole_load(case, server, budget)
        assert set(statuses(first)) == {"new", "unreachable"}
        assert budget.left == 0.0 and sum(case.naps.slept) < 901
        held = case.held()
        assert held.keys() == {one.series.series_id for one in first if one.status == "new"}
        assert "not requested: no response" in (first[-1].message or "")
        server.script.plans.clear()
        server.asked.clear()
        second = _whole_load(case, server, RetryBudget(900.0, case.naps.clock), hours=1)
        assert {one.status for one in second if one.series.series_id in held} == {"unchanged"}
        assert {one.status for one in second if one.series.series_id not in held} == {"new"}
        assert [series for series in held if server.count("observations", series)] == []


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
    assert "nothing listens" in (done[-1].message or "")


def test_after_one_publisher_is_down_and_none_responded_the_next_is_not_waited_for(case: Case) -> None:
    budget = RetryBudget(900.0, case.naps.clock)
    budget.has_refused = True
    with fred_server(case.server.world) as gone:
        source = quick_source(gone, lambda: NIGHT, naps=case.naps, budget=budget)
    fred_run(case.con, source, NIGHT, SERIES, budget)
    assert sum(case.naps.slept) == 0


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


def test_pages_that_arrived_are_not_requested_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long index comes in pages: one is lost until the second pass, which requests only it and those after it."""
    monkeypatch.setattr(server_module, "MOST_ROWS", 100)
    monkeypatch.setattr(fred_client, "ROWS_PER_RESPONSE", 100)
    case.budget, case.attempts = RetryBudget(900.0, case.naps.clock), 2
    case.run()
    whole = _pages_of_icsa(case)
    assert len(whole) > 12
    archive = case.con.execute("SELECT * EXCLUDE (fetch_id) FROM raw.vintages ORDER BY ALL").fetchall()
    case.con.execute("DELETE FROM raw.vintages")
    case.con.execute("DELETE FROM raw.fetches")
    case.server.asked.clear()
    lost = whole[8]
    case.server.script.add("&".join(f"{name}={value}" for name, value in lost.items()), faults.dropped(), 2)
    assert case.run()["ICSA"].status == "new" and case.server.script.plans == []
    again = _pages_of_icsa(case)
    # the request that is too long is refused once more, which shows that windows are needed
    assert again == [*whole[:8], lost, lost, whole[0], lost, *whole[9:]]
    assert (
        case.con.execute("SELECT * EXCLUDE (fetch_id) FROM raw.vintages ORDER BY ALL").fetchall() == archive
    )


def _pages_of_icsa(case: Case) -> list[dict[str, str]]:
    return [
        asked
        for _, path, asked in case.server.asked
        if path.endswith("observations") and asked["series_id"] == "ICSA"
    ]


def test_pages_of_a_series_that_changed_meanwhile_are_not_joined_to_the_new_ones(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MOST_ROWS", 100)
    monkeypatch.setattr(fred_client, "ROWS_PER_RESPONSE", 100)
    source = quick_source(case.server, attempts=1)
    with pytest.raises(SourceUnreachable):
        case.server.script.add("offset=100", faults.dropped())
        source.fetch(SERIES[0])
    one = case.server.world.series["UNRATE"]
    one.revise("2026-06-02", {str(one.observation[0]): 99.0})
    rows = source.fetch(SERIES[0]).observations
    assert 99.0 in rows["value"].to_numpy()
