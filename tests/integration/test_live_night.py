"""Live nights against a FRED on this machine: the whole job, by command line, to a published file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import load_catalog
from assets.warehouse.connection import CONFIG
from pipelines.__main__ import main
from tests.loopback.fred import KEY, Fred, sample_series, serving
from tests.loopback.sampled import publishers_of_the_sample

ROOT = Path(__file__).resolve().parents[2]
AS_OF = dt.date(2026, 5, 31)


@pytest.fixture
def fred() -> Iterator[Fred]:
    ids = {s.series_id: s.frequency for s in load_catalog().by_source("fred")}
    with serving(sample_series(ROOT / "sample_data", ids)) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fred: Fred) -> Iterator[Path]:
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "dagster.yaml").write_text(
        (ROOT / "dagster_home" / "dagster.yaml").read_text("utf-8")
    )
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "history"))
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FRED_API_KEY", KEY)
    monkeypatch.setenv("FRED_ROOT_URL", fred.url)
    monkeypatch.setenv("FRED_REQUESTS_PER_SECOND", "50")
    with publishers_of_the_sample(ROOT / "sample_data") as addresses:
        for name, address in addresses.items():
            monkeypatch.setenv(name, address)
        yield tmp_path


def run(*words: str) -> int:
    return main(["run", "--as-of", AS_OF.isoformat(), *words])


def fetches(home: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home / "data" / "warehouse.duckdb"), read_only=True, config=CONFIG) as con:
        return con.execute(query).fetchall()


def traces_of_the_key(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_first_load_and_the_nights_after_it(
    home: Path, fred: Fred, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    first = capsys.readouterr()
    assert "live figures" in first.err
    with duckdb.connect(str(home / "data" / "published" / "regime.duckdb"), read_only=True) as con:
        profile, label = con.execute("SELECT profile, regime FROM regime_current").fetchall()[0]
        unemployment = con.execute("SELECT value FROM series_as_of('UNRATE', DATE '2025-11-05') ORDER BY "
                                   "observation_date DESC LIMIT 1").fetchall()  # fmt: skip
    assert profile == "live" and label != ""
    assert unemployment == [(4.3,)]
    held = fetches(home, "SELECT count(*) FROM raw.vintages")
    others = "SELECT DISTINCT source, status FROM raw.fetches WHERE status <> 'not_in_profile' AND source <> 'fred'"
    assert {
        ("fed_board", "new"),
        ("fiscal_data", "new"),
        ("shiller", "unreachable"),
        ("world_bank", "new"),
    } <= set(fetches(home, others))

    fred.asked.clear()
    for series_id in ("UNRATE", "PAYEMS", "NFCI"):
        fred.update(series_id, last_updated="2026-05-31 08:00:00-05")
    assert run() == 0
    asked = fred.asked
    assert asked["series"] <= 2 + len(load_catalog().by_source("fred"))  # the key's, and one for each series
    weekly = len(fred.series) / 5  # of the unchanged ones a fifth is read whole on any night
    assert 3 <= asked["series/observations"] <= 3 + 2 * weekly
    assert fetches(home, "SELECT count(*) FROM raw.vintages") == held
    assert traces_of_the_key(home) == []
    assert KEY not in first.out + first.err + "".join(capsys.readouterr())


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_live_says_what_the_sample_says_where_inputs_are_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run() == 0
    live = home / "data" / "published" / "regime.duckdb"
    monkeypatch.setenv("REGIME_PROFILE", "sample")
    monkeypatch.setenv("REGIME_DATA_DIR", str(home / "sample"))
    assert main(["run"]) == 0
    sample = home / "sample" / "published" / "regime.duckdb"
    with duckdb.connect(config=CONFIG) as con:
        con.execute(f"ATTACH '{live}' AS live (READ_ONLY); ATTACH '{sample}' AS sample (READ_ONLY)")
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


def test_a_wrong_key_is_told_before_any_work(
    home: Path, fred: Fred, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = "f" * 32
    monkeypatch.setenv("FRED_API_KEY", wrong)
    assert run() == 2
    said = capsys.readouterr().err
    assert "FRED refuses the key" in said and "apikeys" in said and wrong not in said
    assert fred.requests == 1
    assert not (home / "data" / "warehouse.duckdb").exists()
