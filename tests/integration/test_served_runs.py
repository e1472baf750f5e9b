"""Live runs with five publishers: what three of them could not serve heals, and nothing is lost."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import SourceKey
from assets.compute.corrections import Compared
from assets.raw.ingest import ingest
from assets.sources.protocol import Source
from assets.warehouse.connection import CONFIG
from assets.warehouse.readers import frame_of
from assets.warehouse.schema import open_warehouse
from tests.builders import series_as_of
from tests.fakes import faults
from tests.fakes.all_publishers import Publishers, all_publishers
from tests.fakes.fred_runs import CALM, quick_source
from tests.fakes.fred_world import OPEN
from tests.fakes.publishers import FEW_RETRIES, PUBLISHERS
from tests.integration.live_runs import EVENING, LiveRuns
from tests.integration.sample_night import compute_all, night_facts
from tests.made_once import made_once

FIRST, SECOND, FREEZING, LATER = (dt.date(2026, *day) for day in ((4, 20), (4, 24), (5, 8), (5, 18)))
APRIL = pd.Timestamp("2026-04-30")
ALWAYS = 1_000_000
DOWN = ("NFCI", "ICSA", "PCEPILFE")
WRONG = ("UNRATE", "2026-02-01", "2026-03-20")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.usefixtures("one_cut")]


@dataclass
class ServedRuns(LiveRuns):
    """A data directory."""

    def run(self, publishers: Publishers, run_date: dt.date, *, is_gated: bool = False) -> None:
        """Fetch from every publisher, compute, stage, and publish unless the gate blocks it."""
        self.number += 1
        started = dt.datetime.combine(run_date + dt.timedelta(days=1), EVENING)
        facts = night_facts(self.place, run_date, started, f"run-{self.number}", "live")
        self.published.parent.mkdir(parents=True, exist_ok=True)
        publishers.show(run_date)
        catalog = load_catalog()
        with open_warehouse(self.warehouse) as con:
            for key in ("fred", *publishers.others):
                source = _source(publishers, key, started)
                list(ingest(con, catalog.by_source(key), source, run_date, facts, catalog))
            compute_all(con, facts)
            self.finish(con, facts, is_gated=is_gated)


def _source(publishers: Publishers, key: SourceKey, now: dt.datetime) -> Source:
    if key == "fred":
        return quick_source(publishers.fred, now=lambda: now, attempts=1)
    source = PUBLISHERS[key].source(publishers.address(key), FEW_RETRIES, CALM)
    source.now = lambda: now  # the weekly refresh counts on this clock
    return source


def differing(before: Path, after: Path, days: set[pd.Timestamp]) -> list[str]:
    """Tables of two published files that differ in a cell of these as-of dates."""
    catalog, was, now = load_catalog(), _tables(before), _tables(after)
    return [
        table.name
        for table in catalog.as_of_tables()
        if Compared.of(table, was[table.name], now[table.name], days).differs.any()
    ]


def _tables(published: Path) -> dict[str, pd.DataFrame]:
    with duckdb.connect(str(published), read_only=True, config=CONFIG) as con:
        found = {}
        for table in load_catalog().as_of_tables():
            found[table.name] = frame_of(con, f"SELECT * FROM {table.name}")
        return found


MISSING = {  # in the first run, by publisher
    "fred": set(DOWN),
    "shiller": {"SHILLER_PRICE", "SHILLER_EARNINGS", "SHILLER_DIVIDEND", "SHILLER_CPI"},
    "fed_board": {"EBP", "GZ_SPREAD"},
}


def saved(runs: ServedRuns, name: str) -> None:
    """A copy of the data directory under a name."""
    assert runs.blocked_by == (), name
    shutil.copytree(runs.place, runs.place.with_name(name))


def begun(publishers: Publishers) -> None:
    """A vintage that its publisher will withdraw, known since before the first run."""
    series_id, observation, start = WRONG
    publishers.whole.series[series_id].revise(start, {observation: 4.7})


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A first load on the second day."""

    def make(place: Path) -> None:
        runs = ServedRuns(place / "now")
        with all_publishers() as publishers:
            begun(publishers)
            runs.run(publishers, SECOND)
            saved(runs, "second")

    return made_once(tmp_path_factory, "served-clean", make)


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory, clean: Path) -> Path:
    """Two runs after the first load: one that freezes April, and one after withdrawals."""

    def make(place: Path) -> None:
        shutil.copytree(clean / "second", place / "now")
        runs = ServedRuns(place / "now", number=1)
        with all_publishers() as publishers:
            begun(publishers)
            runs.run(publishers, FREEZING)
            saved(runs, "freezing")
            withdrawn(publishers)
            runs.run(publishers, LATER, is_gated=True)
            saved(runs, "later")

    return made_once(tmp_path_factory, "served-aged", make)


@pytest.fixture(scope="module")
def healed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A first run without two publishers and a part of FRED, and a second one in which everything is there."""

    def make(place: Path) -> None:
        runs = ServedRuns(place / "now")
        with all_publishers() as publishers:
            begun(publishers)
            publishers.closed |= {"shiller", "fed_board"}
            for series_id in DOWN:  # at every request for their figures
                publishers.fred.script.add(f"observations?series_id={series_id}&", faults.status(500), ALWAYS)
            runs.run(publishers, FIRST)
            saved(runs, "first")
            publishers.closed.clear()
            publishers.fred.script.plans.clear()
            runs.run(publishers, SECOND, is_gated=True)
            saved(runs, "second")

    return made_once(tmp_path_factory, "served-healed", make)


def withdrawn(publishers: Publishers) -> None:
    """A wrong vintage, a row inside the span, and the newest figure of a series."""
    series_id, observation, start = WRONG
    wrong = publishers.whole.series[series_id]
    is_wrong = (wrong.observation == np.datetime64(observation)) & (wrong.start == np.datetime64(start))
    assert is_wrong.sum() == 1
    wrong.end[np.flatnonzero(is_wrong) - 1] = OPEN
    wrong.keep(~is_wrong)
    wrong.touch()
    quotes = publishers.whole.series["DGS10"]
    quotes.keep(quotes.observation != np.datetime64("2026-04-14"))
    quotes.touch()
    publishers.whole.series["PAYEMS"].withdraw("2026-05-15", ["2026-04-01"])


def file(place: Path, name: str) -> Path:
    return place / name / "published" / "regime.duckdb"


def rows(place: Path, name: str, query: str) -> list[tuple]:
    return ServedRuns(place / name).shown(query)


def days_of(place: Path, name: str, kinds: str) -> set[pd.Timestamp]:
    found = rows(place, name, f"SELECT as_of_date FROM regime WHERE row_kind IN ({kinds})")
    return {pd.Timestamp(day) for (day,) in found}


def test_a_healthy_first_load_labels_every_month_end_on_shillers_basis(clean: Path) -> None:
    basis = "SELECT DISTINCT earnings_yield_basis, equity_price_basis FROM regime"
    assert rows(clean, "second", basis) == [("ttm", "sp_composite")]
    labelled = "SELECT min(as_of_date) <= DATE '1995-01-31', count(*) > 370 FROM regime WHERE regime <> 'indeterminate'"
    assert rows(clean, "second", labelled) == [(True, True)]
    assert rows(clean, "second", "SELECT is_complete FROM release_manifest") == [(True,)]


def test_what_was_missing_in_the_first_run_leaves_no_trace_in_the_second(clean: Path, healed: Path) -> None:
    days = days_of(clean, "second", "'backfilled', 'provisional'")
    assert len(days) == 496
    assert "regime" in differing(file(healed, "first"), file(healed, "second"), days), "it decides nothing"
    assert differing(file(clean, "second"), file(healed, "second"), days) == []


def test_every_change_is_listed_with_the_series_that_were_missing(healed: Path) -> None:
    found = rows(healed, "second", "SELECT DISTINCT reason, series_ids FROM row_corrections")
    assert {reason for reason, _ in found} == {"late"}
    named = {series_id for _, text in found for series_id in text.replace(" ", "").split(",")}
    assert named <= set.union(*MISSING.values())
    assert all(named & of_publisher for of_publisher in MISSING.values()), named
    changed = rows(
        healed, "second", "SELECT count(DISTINCT as_of_date) FROM row_corrections WHERE table_name = 'regime'"
    )
    assert changed[0][0] > 12


def test_no_row_of_the_archive_is_lost_while_it_heals(healed: Path) -> None:
    first, second = healed / "first" / "warehouse.duckdb", healed / "second" / "warehouse.duckdb"
    with open_warehouse(second) as con:
        con.execute(f"ATTACH '{first}' AS before (READ_ONLY)")
        lost = con.execute(
            "SELECT count(*) FROM (FROM before.raw.vintages EXCEPT ALL FROM raw.vintages)"
        ).fetchall()
        more = con.execute(
            "SELECT DISTINCT series_id FROM raw.vintages EXCEPT SELECT series_id FROM before.raw.vintages"
        )
        assert {name for (name,) in more.fetchall()} == set.union(*MISSING.values())
    assert lost == [(0,)]


def test_a_live_row_does_not_change_when_a_publisher_withdraws_figures(aged: Path) -> None:
    assert days_of(aged, "freezing", "'live'") == days_of(aged, "later", "'live'") == {APRIL}
    assert differing(file(aged, "freezing"), file(aged, "later"), {APRIL}) == []
    before = days_of(aged, "freezing", "'backfilled'")
    assert differing(file(aged, "freezing"), file(aged, "later"), before) != []
    causes = rows(
        aged,
        "later",
        "SELECT DISTINCT reason, series_ids FROM row_corrections "
        "WHERE release_id = (SELECT release_id FROM release_manifest)",
    )
    assert ("retracted", WRONG[0]) in causes and {reason for reason, _ in causes} == {"retracted"}


def test_the_archive_agrees_with_fred_after_withdrawals(aged: Path) -> None:
    with all_publishers() as publishers:
        begun(publishers)
        withdrawn(publishers)
        publishers.show(LATER)
        world = publishers.fred.world
        asked = {series.series_id for series in load_catalog().in_profile("live")}
        with open_warehouse(aged / "later" / "warehouse.duckdb") as con:
            apart = {
                name: _apart(con, name, one.as_of(LATER.isoformat()))
                for name, one in world.series.items()
                if name in asked
            }
            held = con.execute(
                "SELECT count(*) FROM raw.vintages WHERE series_id = ? AND observation_date = CAST(? AS DATE) "
                "AND realtime_start = CAST(? AS DATE) AND value = 4.7",
                WRONG,
            ).fetchall()
    assert {name: days for name, days in apart.items() if days} == {}
    assert held == [(1,)], "what was withdrawn is still on record"


def _apart(con: duckdb.DuckDBPyConnection, series_id: str, served: dict[str, float]) -> list[str]:
    """Observations whose value now is not the publisher's."""
    frame = series_as_of(con, series_id, LATER).dropna(subset="value")
    ours = dict(zip(frame["observation_date"].astype(str), frame["value"], strict=True))
    theirs = {day: value for day, value in served.items() if not np.isnan(value)}
    return [day for day in ours.keys() | theirs.keys() if ours.get(day) != theirs.get(day)]
