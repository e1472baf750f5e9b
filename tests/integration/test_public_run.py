"""Runs of the profile public against fake publishers: the job by command line, from nothing to a published file.

The runs follow each other in one data directory: each test adds one, in the order of the file.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.sources import pacing
from assets.sources.public.shared import carrier_of
from assets.warehouse.connection import CONFIG
from pipelines.__main__ import main
from tests.fakes import public_publishers as publishers_module
from tests.fakes.public_board import Made, path, release_zip
from tests.fakes.public_publishers import PublicPublishers, public_publishers
from tests.fakes.server import Served

FIRST, SECOND = dt.date(2026, 5, 29), dt.date(2026, 5, 31)
NOWHERE = "http://127.0.0.1:9"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass
class House:
    """A data directory with the history of its runs, the publishers, and the output of the last run."""

    place: Path
    publishers: PublicPublishers
    capsys: pytest.CaptureFixture[str] | None = None
    output: str = ""

    def run(self, day: dt.date, *more: str) -> int:
        """One run by command line; its exit status."""
        assert self.capsys is not None
        status = main(["run", "--profile", "public", "--as-of", day.isoformat(), *more])
        self.output = "".join(self.capsys.readouterr())
        return status

    def published(self, query: str) -> list[tuple]:
        """Rows of the published file."""
        with duckdb.connect(
            str(self.place / "data" / "published" / "regime.duckdb"), read_only=True, config=CONFIG
        ) as con:
            return con.execute(query).fetchall()


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
                "REGIME_RETRY_BUDGET_SECONDS": "2",
            }  # fmt: skip
            for name, value in {**own, **publishers.addresses}.items():
                patch.setenv(name, value)
            patch.setattr(pacing, "_RANDOM_WAIT", lambda _: 0.0)
            yield House(place, publishers)


@pytest.fixture
def house(_house: House, capsys: pytest.CaptureFixture[str]) -> House:
    _house.capsys = capsys
    return _house


def test_a_first_public_night_ends_with_a_published_file_that_names_who_served_what(house: House) -> None:
    assert house.run(FIRST) == 0, house.output
    assert "public figures (from their publishers, without a key)" in house.output
    bundled = {
        series.series_id
        for series in load_catalog().in_profile("public")
        if carrier_of(series).reader == "sample"
    }
    (line,) = [line for line in house.output.splitlines() if "from the bundle" in line]
    assert set(line.rpartition(": ")[2].split(", ")) == bundled
    assert house.published("SELECT profile, as_of_date FROM about") == [("public", FIRST)]
    assert house.published("SELECT regime FROM regime_current")[0][0] != "indeterminate"
    hosts = dict(house.published("SELECT series_id, fetched_from FROM series WHERE in_profile"))
    assert {name for name, host in hosts.items() if host == "sample_data"} == bundled
    served = {name for name, host in hosts.items() if host == "127.0.0.1"}
    assert {
        "DGS10",
        "WALCL",
        "M2SL",
        "TOTBKCR",
        "INDPRO",
        "NCBEILQ027S",
        "DFEDTARU",
        "EBP",
        "SHILLER_PRICE",
    } <= served
    requests = house.publishers.requests()
    assert requests["board"] == 6  # five releases and the Financial Accounts, once each
    assert requests["nyfed"] == 2  # the range, and the operations, which are not there


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


def test_unchanged_files_cost_one_conditional_request_and_a_publisher_that_is_down_is_carried(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = house.published("SELECT regime, condition_state FROM regime_current")
    monkeypatch.setenv("NYFED_URL", f"{NOWHERE}/nothing")
    assert house.run(FIRST) == 0, house.output
    asked = house.publishers.servers["board"].requests
    conditional = [request.path for request in asked if "If-Modified-Since" in request.headers]
    assert {name.split("/")[1] for name in conditional} >= {"h15", "h41", "h6", "h8", "z1"}
    assert len(asked) <= 7, "industrial production costs its file, and one request, more than it must"
    assert "could not be reached: DFEDTARU, RRPONTSYD" in house.output
    assert house.published("SELECT regime, condition_state FROM regime_current") == before
    assert house.published("SELECT count(*) FROM series_as_of('DFEDTARU', DATE '2026-05-29')")[0][0] > 4000
    house.publishers.requests()


def test_a_rebased_index_is_refused_by_name_and_the_rest_is_published(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.publishers.show(SECOND)
    monkeypatch.setenv("BLS_URL", f"{NOWHERE}/nothing")
    made = Made("Index:_2022_100", "1", [("2026-03-31", 101.0), ("2026-04-30", 101.2), ("2026-05-31", 101.5)])
    routes = house.publishers.servers["board"].routes
    routes[path("G17")] = Served(release_zip("G17", {"IP.B50001.S": made}))
    assert house.run(SECOND) == 0, house.output
    assert any("refused: " in line and "INDPRO" in line for line in house.output.splitlines())
    statuses = dict(house.published("SELECT series_id, fetch_status FROM series WHERE is_published"))
    assert statuses["INDPRO"] == "refused" and statuses["UNRATE"] == "unreachable"
    assert house.published("SELECT as_of_date FROM about") == [(SECOND,)]


def test_without_the_board_the_archive_carries_its_releases(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOARD_RELEASES_URL", f"{NOWHERE}/nothing")
    assert house.run(SECOND) == 0, house.output
    statuses = dict(house.published("SELECT series_id, fetch_status FROM series WHERE is_published"))
    assert {statuses[name] for name in ("WALCL", "DGS10", "M2SL", "TOTBKCR")} == {"unreachable"}
    assert statuses["UNRATE"] != "unreachable"
    assert house.published("SELECT regime FROM regime_current")[0][0] != "indeterminate"


def test_the_sample_never_replaces_a_public_publication(house: House) -> None:
    assert house.run(SECOND, "--profile", "sample") == 2
    assert "the published file is public and this run is on the sample" in house.output


def test_every_source_says_what_it_answered(house: House) -> None:
    assert house.capsys is not None
    assert main(["doctor", "--sources"]) == 1
    lines = house.capsys.readouterr().out.splitlines()
    assert any(line.startswith("OK    board H15 ") and "DGS10" in line for line in lines)
    assert any(line.startswith("FAIL  board G17 ") and "unit_changed" in line for line in lines)
    assert any(line.startswith("OK    bls ") for line in lines)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="no peak of memory is told here")
def test_the_largest_release_of_its_real_size_stays_under_half_a_gigabyte(tmp_path: Path) -> None:
    rows = [(f"{2002 + n // 52:04d}-01-01", 6_000_000.0 + n) for n in range(1241)]
    packed = release_zip("H41", {"RESPPMA_N.WW": Made("Currency", "1000000", rows)}, padding=1260)
    (tmp_path / "h41.zip").write_bytes(packed)
    code = (
        "import re, sys; from assets.sources.public.board import ReleaseFile;"
        "from assets.sources.file_source import RETRIES;"
        "file = ReleaseFile('https://example.org', 'H41', {'RESPPMA_N.WW'}, RETRIES);"
        "found = file.read(open(sys.argv[1], 'rb').read());"
        "status = open('/proc/self/status').read();"
        "print(len(found['RESPPMA_N.WW'].dates), re.search(r'VmHWM:\\s+(\\d+)', status)[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "h41.zip")],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    count, kilobytes = (int(word) for word in done.stdout.split())
    assert count == 1241 and kilobytes < 500_000
