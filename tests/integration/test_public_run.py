"""Runs of the profile public against fake publishers: the job by command line, from nothing to a published file.

The runs follow each other in one data directory, in the order of the file. Where the publication is not the point, only
the series are fetched, by the same code.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import duckdb
import pandas as pd
import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.catalog.models import ReaderKey, Series, SourceKey
from assets.raw import Ingested, ingest
from assets.run_facts import RunFacts
from assets.sources import pacing
from assets.sources.protocol import Known, Payload
from assets.sources.public.shared import carrier_of
from assets.sources.registry import Sources
from assets.sources.sample import SampleSource
from assets.warehouse.connection import CONFIG
from pipelines.__main__ import main
from pipelines.settings import URL_VARIABLES, load_settings, read_access
from tests.fakes import public_publishers as publishers_module
from tests.fakes.public_layouts import Made, release_path, release_zip
from tests.fakes.public_publishers import FIRST_STATED_LOWER, PublicPublishers, public_publishers
from tests.fakes.server import Served

FIRST, SECOND, THIRD = (dt.date(2026, 5, day) for day in (8, 15, 22))
LABEL = [("stimulus", "bubble")]
NOWHERE = "http://127.0.0.1:9/nothing"
FILES = {"/z1/current/z1_csv_files.zip", *(release_path(name) for name in ("H15", "H41", "H6", "H8", "G17"))}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass
class House:
    """A data directory with the history of its runs, the publishers, their day, and the output of the last run."""

    place: Path
    publishers: PublicPublishers
    day: dt.date = FIRST
    capsys: pytest.CaptureFixture[str] | None = None
    output: str = ""

    def show(self, day: dt.date) -> None:
        """It is that day, and the publishers serve what they have published."""
        self.day = day
        self.publishers.show(day)

    def run(self, *more: str) -> int:
        """One run by command line; its exit status."""
        assert self.capsys is not None
        self.publishers.requests()
        status = main(["run", "--profile", "public", "--as-of", self.day.isoformat(), *more])
        self.output = "".join(self.capsys.readouterr())
        return status

    def fetch(self, reader: ReaderKey | None = None) -> dict[str, Ingested]:
        """The series of a reader (None: all) as a run fetches them, without computing or publishing."""
        self.publishers.requests()
        settings = load_settings(as_of=self.day)
        sources, now = Sources(read_access(settings)), dt.datetime.now(dt.UTC)
        facts = RunFacts(f"{now}", "public", self.day, now, PROJECT_ROOT, settings.published_path, "test")
        done = list[Ingested]()
        with duckdb.connect(str(settings.warehouse_path), config=CONFIG) as con:
            for key in get_args(SourceKey):
                of_reader = [
                    series
                    for series in load_catalog().in_profile("public")
                    if series.source == key and reader in (None, carrier_of(series).reader)
                ]
                if of_reader:
                    today = sources.last_day(now)
                    done += ingest(
                        con, of_reader, sources.of(key), today, facts, load_catalog(), sources.budget
                    )
        return {one.series.series_id: one for one in done}

    def requested(self, reader: ReaderKey) -> list[tuple[str, bool]]:
        """Path of each request to a server since the last run began, and whether it was conditional."""
        asked = self.publishers.servers[reader].requests
        return [(request.path, "If-Modified-Since" in request.headers) for request in asked]

    def published(self, query: str) -> list[tuple]:
        """Rows of the published file."""
        with duckdb.connect(
            str(self.place / "data" / "published" / "regime.duckdb"), read_only=True, config=CONFIG
        ) as con:
            return con.execute(query).fetchall()

    def newest(self, series_id: str, day: dt.date) -> tuple[str, float]:
        """The newest figure known on a day."""
        ((at, value),) = self.published(
            f"SELECT observation_date::VARCHAR, value FROM series_as_of('{series_id}', DATE '{day}') "
            "ORDER BY 1 DESC LIMIT 1"
        )
        return at, value


@pytest.fixture(scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    place = tmp_path_factory.mktemp("public")
    (place / "history").mkdir()
    shutil.copy(PROJECT_ROOT / "dagster_home" / "dagster.yaml", place / "history")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishers_module, "_PADDING", {})
        with public_publishers(FIRST) as publishers:
            own = {
                "DAGSTER_HOME": str(place / "history"), "REGIME_DATA_DIR": str(place / "data"),
                "REGIME_RETRY_BUDGET_SECONDS": "0", "REGIME_PROFILE": "public",
            }  # fmt: skip
            for name, value in {**own, **publishers.addresses}.items():
                patch.setenv(name, value)
            patch.setattr(pacing, "_RANDOM_WAIT", lambda _: 0.0)
            house = House(place, publishers)
            patch.setattr(Sources, "last_day", lambda *_: house.day)
            patch.setattr(SampleSource, "fetch", _until(house, SampleSource.fetch))
            yield house


def _until(house: House, fetch: Callable[[SampleSource, Series], Payload]) -> Callable[..., Payload]:
    """The bundle without what was later than the day."""

    def fetched(source: SampleSource, series: Series, known: Known | None = None) -> Payload:
        payload = fetch(source, series)
        is_known = payload.observations["observation_date"] <= pd.Timestamp(house.day)
        return replace(payload, observations=payload.observations[is_known], rows_expected=None)

    return fetched


@pytest.fixture
def house(_house: House, capsys: pytest.CaptureFixture[str]) -> House:
    _house.capsys = capsys
    return _house


def requests_on_the_page(column: int) -> dict[ReaderKey, int]:
    """Requests of each reader as docs/publishers.md has them: of the first run (0), of one with unchanged files (1)."""
    found: dict[ReaderKey, int] = {}
    for line in (PROJECT_ROOT / "docs" / "publishers.md").read_text(encoding="utf-8").splitlines():
        if row := re.match(r"\| (`\w+`(?:, `\w+`)*) \| (\d+) \| (\d+) \| ", line):
            for name in re.findall(r"\w+", row[1]):
                found[name] = int(row[2 + column])
    return found


def test_a_first_public_night_ends_with_a_published_file_that_names_who_served_what(house: House) -> None:
    assert house.run() == 0, house.output
    assert "public figures (from their publishers, without a key)" in house.output
    of_profile = load_catalog().in_profile("public")
    bundled = {series.series_id for series in of_profile if carrier_of(series).reader == "sample"}
    (line,) = [line for line in house.output.splitlines() if "from the bundle" in line]
    assert set(line.rpartition(": ")[2].split(", ")) == bundled
    assert house.published("SELECT profile, as_of_date FROM about") == [("public", FIRST)]
    assert house.published("SELECT regime FROM regime_current")[0][0] != "indeterminate"
    hosts = dict(house.published("SELECT series_id, fetched_from FROM series WHERE in_profile"))
    assert {name for name, host in hosts.items() if host == "sample_data"} == bundled
    served = {name for name, host in hosts.items() if host == "127.0.0.1"}
    each = "DGS10 WALCL M2SL TOTBKCR INDPRO NCBEILQ027S DFEDTARU EBP SHILLER_PRICE UNRATE GDP ICSA NFCI"
    assert set(each.split()) <= served
    cited = dict(house.published("SELECT series_id, citation FROM series"))
    assert cited["UNRATE"].endswith("[UNRATE], retrieved from 127.0.0.1")
    assert cited["GDPPOT"].endswith("https://fred.stlouisfed.org/series/GDPPOT"), "from the bundle"
    assert house.publishers.requests() == requests_on_the_page(0)
    ((first_vintage, real),) = house.published(
        "SELECT min(realtime_start)::VARCHAR, count(DISTINCT realtime_start) FROM observations "
        "WHERE series_id = 'MTSDS133FMS' AND vintage_source = 'publisher'"
    )
    assert first_vintage == "2015-04-13" and real == 133  # the statements from March 2015 to March 2026
    (grade,) = house.published("SELECT pit_source FROM series WHERE series_id = 'MTSDS133FMS'")
    assert grade[0] == "lag_rule, publisher"


def test_figures_equal_the_samples(house: House) -> None:
    """What went through each publisher's layout and units is what the sample has."""
    ids = ("WALCL", "TREAST", "GS10", "TB3MS", "M2SL", "TOTBKCR", "DGS10", "BOGMBASE", "INDPRO")
    for series_id in ids:
        query = f"SELECT observation_date, value FROM series_as_of('{series_id}', DATE '{FIRST}') ORDER BY 1"
        file = PROJECT_ROOT / "sample_data" / f"{series_id}.csv"
        with duckdb.connect(config=CONFIG) as con:
            sample = con.execute(f"SELECT date, value FROM read_csv('{file}') ORDER BY 1").fetchall()
        published = house.published(query)
        assert len(published) > 400 and published == sample[: len(published)], series_id


def test_an_unchanged_file_costs_one_conditional_request(house: House) -> None:
    """Also where a series of the file has real vintages, and their workbook cannot be reached."""
    done = house.fetch()
    assert sorted(house.requested("board")) == sorted((name, True) for name in FILES)
    for reader in ("bea", "nfci", "fed_board"):
        asked = house.requested(reader)
        assert asked and all(is_conditional for _, is_conditional in asked), reader
    assert not any(one.counts.appended for one in done.values())
    assert "no vintages" in (done["INDPRO"].message or "")
    assert house.publishers.requests() == requests_on_the_page(1)


def test_a_night_with_new_weeks_and_a_new_month(house: House) -> None:
    before = {name: house.newest(name, FIRST) for name in ("WALCL", "UNRATE", "DGS10")}
    house.show(SECOND)
    assert house.run() == 0, house.output
    assert sorted(house.requested("board")) == sorted((name, True) for name in FILES)
    assert len(house.requested("bls")) == 1
    for name, (at, _) in before.items():
        assert house.newest(name, SECOND)[0] > at, name
        assert house.newest(name, FIRST) == before[name], name
    assert [request.query["filter"] for request in house.publishers.servers["mts"].requests] == [
        "record_date:gte:2026-03-31"
    ]
    march = house.published(
        "SELECT realtime_start::VARCHAR, value, vintage_source FROM observations "
        "WHERE series_id = 'MTSDS133FMS' AND observation_date = DATE '2026-03-01' ORDER BY 1"
    )
    assert [(start, source) for start, _, source in march] == [
        ("2026-04-13", "publisher"), ("2026-05-13", "publisher"),
    ]  # fmt: skip
    assert march[1][1] - march[0][1] == pytest.approx(FIRST_STATED_LOWER)
    assert before["UNRATE"][0] == "2026-03-01" and house.newest("UNRATE", SECOND)[0] == "2026-04-01"
    assert house.published("SELECT stance, condition_state FROM regime_current") == LABEL


def test_a_night_with_a_revision_and_a_rebased_index_and_without_one_publisher(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = publishers_module._world().series
    revised = copy.deepcopy(world["UNRATE"])
    revised.revise(THIRD.isoformat(), {"2026-03-01": 4.9})
    monkeypatch.setitem(world, "UNRATE", revised)
    house.show(THIRD)
    monkeypatch.setenv("CLAIMS_URL", NOWHERE)
    known = house.published(f"SELECT observation_date, value FROM series_as_of('INDPRO', DATE '{SECOND}')")
    rebased = [(f"{at.replace(day=28)}", round(value / 1.04, 4)) for at, value in known]
    routes = house.publishers.servers["board"].routes
    file = release_zip("G17", {"IP.B50001.S": Made("Index:_2022_100", "1", rebased)})
    routes[release_path("G17")] = Served(file)
    assert house.run() == 0, house.output
    march = "WHERE series_id = 'UNRATE' AND observation_date = DATE '2026-03-01'"
    rows = house.published(
        f"SELECT realtime_start, value, vintage_source FROM observations {march} ORDER BY 1"
    )
    assert [row[2] for row in rows] == ["lag_rule", "captured"] and rows[1][1] == 4.9
    assert rows[1][0] == THIRD and rows[0][1] != 4.9
    statuses = dict(house.published("SELECT series_id, fetch_status FROM series WHERE is_published"))
    assert statuses["INDPRO"] == "new" and statuses["ICSA"] == "unreachable"
    assert "could not be reached" in house.output
    assert house.published("SELECT stance, condition_state FROM regime_current") == LABEL


def test_each_publisher_that_is_down_leaves_the_archive_as_it_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = {carrier_of(series).reader for series in load_catalog().in_profile("public")} - {"sample"}
    assert len(readers) == 13
    for reader in sorted(readers):
        with monkeypatch.context() as patch:
            patch.setenv(URL_VARIABLES[reader], NOWHERE)
            done = house.fetch(reader)
        assert {one.status for one in done.values()} == {"unreachable"}, reader
        assert not any(one.counts.appended for one in done.values()), reader
        assert all("127.0.0.1:9" in (one.message or "") for one in done.values()), reader


def test_the_sample_never_replaces_a_public_publication(house: House) -> None:
    assert house.run("--profile", "sample") == 2
    assert "the published file is public and this run is on the sample" in house.output


def test_every_source_says_what_it_answered(house: House) -> None:
    assert house.capsys is not None
    assert main(["doctor", "--sources"]) == 1
    lines = house.capsys.readouterr().out.splitlines()
    assert any(line.startswith("OK    board H15 ") and "DGS10" in line for line in lines)
    assert any(line.startswith("OK    board G17 ") and "base year changed" in line for line in lines)
    assert any(line.startswith("FAIL  nyfed rp ") for line in lines)
    assert any(line.startswith("OK    bls ") for line in lines)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the peak of memory is not reported here")
def test_the_largest_file_of_its_real_size_takes_less_than_half_a_gigabyte_and_a_minute(
    tmp_path: Path,
) -> None:
    rows = [(f"{2002 + n // 52:04d}-01-01", 6_000_000.0 + n) for n in range(1241)]
    balance_sheet = Made("Currency", "1000000", rows)
    (tmp_path / "file").write_bytes(release_zip("H41", {"RESPPMA_N.WW": balance_sheet}, padding=1260))
    assert (tmp_path / "file").stat().st_size > 5_000_000
    code = (
        "import re, sys, time; content, began = open(sys.argv[1], 'rb').read(), time.process_time();"
        "from assets.sources.public.board import ReleaseFile; from assets.sources.file_source import RETRIES;"
        "file = ReleaseFile('https://example.org', 'H41', {'RESPPMA_N.WW'}, RETRIES);"
        "found = file.read(content)['RESPPMA_N.WW'].dates; status = open('/proc/self/status').read();"
        "print(len(found), re.search(r'VmHWM:\\s+(\\d+)', status)[1], round(time.process_time() - began))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "file")]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    found, kilobytes, seconds = (int(word) for word in done.stdout.split())
    assert found == 1241 and kilobytes < 500_000 and seconds < 60
