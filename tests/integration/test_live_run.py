"""Live runs against fake publishers: the job by command line, to a published file.

The runs follow each other in one data directory: each test adds one, in the order of the file.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.sources import fred_client, pacing, registry
from assets.sources.http import Limits
from assets.warehouse.connection import CONFIG
from pipelines.__main__ import main
from tests.fakes import faults
from tests.fakes.all_publishers import publishers_of_the_sample
from tests.fakes.fred_server import FredServer, fred_server
from tests.fakes.fred_world import KEY, OPEN, open_value, sample_world
from tests.nightly_run import new_installation

AS_OF = dt.date(2026, 5, 31)
ALWAYS = 1_000_000
NOWHERE = "http://127.0.0.1:9"
ONE_SERIES = {  # of each publisher
    "fred": "UNRATE", "fed_board": "EBP", "fiscal_data": "MSPD_BILLS", "shiller": "SHILLER_PRICE",
    "world_bank": "GOLD_WB_MONTHLY",
}  # fmt: skip
ADDRESSES = {key: "FRED_ROOT_URL" if key == "fred" else f"{key.upper()}_URL" for key in ONE_SERIES}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.usefixtures("one_cut")]


@dataclass
class House:
    """A data directory with the history of its runs, FRED, and the output of the last run."""

    place: Path
    fred: FredServer
    capsys: pytest.CaptureFixture[str] | None = None
    output: str = ""

    def run(self, *more: str) -> int:
        """One run by command line; its exit status."""
        assert self.capsys is not None
        status = main(["run", "--as-of", AS_OF.isoformat(), *more])
        self.output = "".join(self.capsys.readouterr())
        return status

    def query_warehouse(self, query: str) -> list[tuple]:
        """Rows of the warehouse."""
        return _rows(self.place / "data" / "warehouse.duckdb", query)

    def published(self, query: str) -> list[tuple]:
        """Rows of the published file."""
        return _rows(self.place / "data" / "published" / "regime.duckdb", query)

    def traces_of_the_key(self) -> list[Path]:
        """Files of data, release, history and logs that contain the key; the output must not."""
        assert KEY not in self.output
        files = [path for path in self.place.rglob("*") if path.is_file()]
        assert len(files) > 10
        return [path for path in files if KEY.encode() in path.read_bytes()]


def _rows(path: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True, config=CONFIG) as con:
        return con.execute(query).fetchall()


@pytest.fixture(scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    place = tmp_path_factory.mktemp("live")
    with (
        fred_server(sample_world(AS_OF)) as server,
        publishers_of_the_sample() as addresses,
        pytest.MonkeyPatch.context() as patch,
    ):
        own = {
            "DAGSTER_HOME": new_installation(place).environment["DAGSTER_HOME"], "REGIME_DATA_DIR": str(place / "data"),
            "FRED_API_KEY": KEY, "FRED_ROOT_URL": server.url, "FRED_REQUESTS_PER_SECOND": "100",
            "REGIME_RETRY_BUDGET_SECONDS": "2",
        }  # fmt: skip
        for name, value in {**own, **addresses}.items():
            patch.setenv(name, value)
        patch.setattr(pacing, "_RANDOM_WAIT", lambda _: 0.0)
        patch.setattr(fred_client, "LIMITS", Limits(silence=1.0, total=3.0))
        patch.setattr(registry, "RetryPolicy", lambda budget: pacing.RetryPolicy(attempts=2, budget=budget))
        yield House(place, server)


@pytest.fixture
def house(_house: House, capsys: pytest.CaptureFixture[str]) -> House:
    _house.capsys = capsys
    _house.fred.asked.clear()
    _house.fred.script.plans.clear()
    return _house


def test_a_wrong_key_is_reported_before_any_work(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "f" * 32
    monkeypatch.setenv("FRED_API_KEY", wrong)
    assert house.run() == 2
    assert "FRED refuses the key" in house.output and "apikeys" in house.output and wrong not in house.output
    assert len(house.fred.asked) == 1
    assert not (house.place / "data" / "warehouse.duckdb").exists()


def test_a_first_run_without_any_source_exits_with_3_and_publishes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ADDRESSES.values():
        monkeypatch.setenv(name, f"{NOWHERE}/nothing")
    assert house.run() == 3
    assert "nothing was published: no source could be reached" in house.output
    assert "nothing is published yet" in house.output and "Traceback" not in house.output
    assert not (house.place / "data" / "published" / "regime.duckdb").exists()


def test_a_first_load_without_enough_inputs_is_kept_and_nothing_is_computed_or_published(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of valuation nothing came: the workbook is out of reach, and FRED has no market value of equities."""
    monkeypatch.setenv(ADDRESSES["shiller"], f"{NOWHERE}/nothing")
    assert house.run() == 3
    assert "no first publication: the label would be indeterminate" in house.output
    missing = re.search(r"coverage below 0\.50 \((.*)\) without (.*)", house.output)
    assert missing is not None and missing[1] == "valuation 0.00"
    assert {"SHILLER_PRICE", "SHILLER_EARNINGS", "NCBEILQ027S"} <= set(missing[2].split(", "))
    assert "run --accept-incomplete" in house.output and "blocked by" not in house.output
    assert not (house.place / "data" / "published" / "regime.duckdb").exists()
    computed = (
        "SELECT count(*) FROM duckdb_tables() WHERE table_name IN ('real_yields', 'credit_spreads', 'regime')"
    )
    assert house.query_warehouse(computed) == [(0,)]
    assert house.query_warehouse("SELECT count(DISTINCT series_id) FROM raw.vintages")[0][0] > 30
    assert house.fred.count("observations") > 30
    assert house.traces_of_the_key() == []


def test_an_incomplete_first_publication_is_made_when_it_is_accepted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESSES["shiller"], f"{NOWHERE}/nothing")
    assert house.run("--accept-incomplete") == 0
    assert house.fred.count("observations") == 0, "what the run before fetched is not requested again"
    assert "live figures" in house.output and "could not be reached:" in house.output
    assert house.published("SELECT profile, regime FROM regime_current") == [("live", "indeterminate")]
    unemployment = (
        "SELECT value FROM series_as_of('UNRATE', DATE '2025-11-05') ORDER BY observation_date DESC LIMIT 1"
    )
    assert house.published(unemployment) == [(4.3,)]
    assert house.traces_of_the_key() == []


def test_the_run_that_reaches_every_publisher_labels_what_was_incomplete(house: House) -> None:
    assert house.run() == 0
    sources = house.query_warehouse("SELECT DISTINCT source FROM raw.fetches WHERE status = 'new'")
    assert {source for (source,) in sources} >= set(ONE_SERIES)
    assert house.published(
        "SELECT DISTINCT earnings_yield_basis FROM regime WHERE regime <> 'indeterminate'"
    ) == [("ttm",)]
    assert house.published("SELECT regime FROM regime_current") != [("indeterminate",)]


def test_live_equals_the_sample_where_inputs_are_the_same(house: House, made_release: Path) -> None:
    live = house.place / "data" / "published" / "regime.duckdb"
    with duckdb.connect(config=CONFIG) as con:
        con.execute(f"ATTACH '{live}' AS live (READ_ONLY); ATTACH '{made_release}' AS sample (READ_ONLY)")
        for table, columns in {
            "real_yields": "as_of_date, nominal_10y_pct, real_10y_pct",
            "activity_inflation": "as_of_date, unemployment_rate_pct, real_gdp_yoy_pct, cpi_yoy_pct, sahm_gap_pp",
            "fiscal_and_debt": "as_of_date, bill_share_pct",
            "credit_spreads": "as_of_date, ebp_pp, gz_spread_pp",
            "regime": "as_of_date, stance, stance_driver, balance_sheet_test",
        }.items():
            apart = con.execute(
                f"SELECT {columns} FROM live.{table} EXCEPT SELECT {columns} FROM sample.{table}"
            )
            assert apart.fetchall() == [], table


def test_a_run_without_two_publishers_takes_what_changed_and_names_what_is_missing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = house.query_warehouse("SELECT count(*) FROM raw.vintages")[0][0]
    for series_id in (changed := ("UNRATE", "PAYEMS", "ICSA")):
        one = house.fred.world.series[series_id]
        newest = str(one.observation[one.end == OPEN].max())
        one.revise("2026-05-30", {newest: round(open_value(one, newest) * 1.01, 2)})
    keys = ("fed_board", "world_bank")
    for key in keys:
        monkeypatch.setenv(ADDRESSES[key], f"{NOWHERE}/nothing")
    assert house.run() == 0
    missing = next(line for line in house.output.splitlines() if "could not be reached:" in line)
    named = set(re.findall(r"[A-Z0-9_]{2,}", missing.partition("reached:")[2]))
    assert named & {*ONE_SERIES.values()} == {ONE_SERIES[key] for key in keys}
    fred_series = sum(s.source == "fred" for s in load_catalog().in_profile("live"))
    infos = sum(path == "/fred/series" for _, path, _ in house.fred.asked)
    assert infos == fred_series + 2  # the key is tried by the command and by the run
    assert house.fred.count("observations") == len(changed)
    assert house.query_warehouse("SELECT count(*) FROM raw.vintages") == [(stored + len(changed),)]
    # no row was lived through: the newest one is computed anew with what came
    assert house.published("SELECT count(*) FROM late_figures") == [(0,)]
    unemployment = house.fred.world.series["UNRATE"]
    now = open_value(unemployment, str(unemployment.observation.max()))
    newest = "SELECT unemployment_rate_pct FROM activity_inflation ORDER BY as_of_date DESC LIMIT 1"
    assert house.published(newest) == [(now,)]
    assert re.search(r"series fetched, \d+ requests in \d+ s", house.output)


def test_faults_cost_their_own_series_block_the_publication_and_leave_no_trace_of_the_key(
    house: House,
) -> None:
    """Every fault there is, series by series: `tests/faults`. A weekly full refresh, so that every address is asked."""
    with duckdb.connect(str(house.place / "data" / "warehouse.duckdb"), config=CONFIG) as con:
        con.execute("UPDATE raw.fetches SET fetched_at = fetched_at - INTERVAL 8 DAY")
        con.execute("CREATE TABLE raw.before_faults AS FROM raw.vintages")
    echo = f'<error code="500" message="Internal Error. api_key={KEY} {KEY}"/>'.encode()
    refusal = f'<error code="400" message="Bad Request.  api_key {KEY} is not registered."/>'.encode()
    expected = {
        "CP": (faults.status(500, body=echo), "unreachable", "api_key=*** ***"),
        "DGS10": (faults.replaced(b'value="', b'value="4,'), "refused", "not_a_number"),
        "WRESBAL": (faults.hang(1.5), "unreachable", "silence"),
        # after it was accepted
        "GDP": (faults.status(400, body=refusal), "unreachable", "FRED refuses the key"),
    }
    for series_id, (fault, *_) in expected.items():
        house.fred.script.add(f"observations?series_id={series_id}&", fault, ALWAYS)
    house.fred.world.series["TREAST"].title = "Treasuries (DISCONTINUED)"
    published = house.place / "data" / "published" / "regime.duckdb"
    before = published.read_bytes()
    assert house.run() == 1, "a refused series that a condition needs blocks the publication"
    assert f"{published} is unchanged" in house.output and "Traceback" not in house.output
    assert published.read_bytes() == before
    came = {
        series_id: (status, message or "")
        for series_id, status, message in house.query_warehouse(
            "SELECT series_id, status, message FROM raw.fetches WHERE run_id = (SELECT arg_max(run_id, fetched_at) "
            "FROM raw.fetches)"
        )
    }
    for series_id, (_, status, text) in expected.items():
        assert came[series_id][0] == status and text in came[series_id][1], (series_id, came[series_id])
        assert series_id in house.output
    assert "discontinued" in came["TREAST"][1]
    lost = "SELECT count(*) FROM (FROM raw.before_faults EXCEPT FROM raw.vintages)"
    assert house.query_warehouse(lost) == [(0,)]
    assert house.traces_of_the_key() == []
