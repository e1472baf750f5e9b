"""What docs/extending.md says is enough: its blocks add a series, a column and a table to a copy of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from assets.warehouse.connection import CONFIG
from tests.integration.conftest import Night
from tests.integration.test_pages import blocks
from tests.nightly_run import ROOT

PAGE = ROOT / "docs" / "extending.md"
ROOMS = ("assets", "checks", "pipelines", "sample_data", "dagster_home", "tests")
MONTHS = [f"{year}-{month:02}-01" for year in range(2000, 2026) for month in range(1, 13)]
SERIES = "HOUST"
# A release of the copy without Dagster and without its checks: the functions of a run, a sixth of its time.
RELEASE = """
from pathlib import Path
from assets.publish.publication import publish
from assets.warehouse.schema import open_warehouse
from tests.integration.conftest import night_in
from tests.integration.live_runs import file_only
from tests.integration.sample_night import fill, stage

night = night_in(Path("fresh"))
night.published.parent.mkdir(parents=True)
with open_warehouse(night.warehouse) as con:
    fill(con, night.facts)
    stage(con, night.facts, night.staged)
    publish(night.staged, night.published, gate=lambda _: None, fill=file_only)
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's rooms, without anything it has made."""
    for room in ROOMS:
        skip = shutil.ignore_patterns("__pycache__", "history", "schedules", "storage", "logs", ".*")
        shutil.copytree(ROOT / room, tmp_path / "project" / room, ignore=skip)
    for name in ("pyproject.toml", "requirements.lock", "workspace.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / "project" / name)
    return tmp_path / "project"


def python(copy: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = ("REGIME_", "FRED_", "DAGSTER_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(own)} | environment
    return subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environ, capture_output=True, text=True, timeout=400
    )


def append(file: Path, block: str) -> None:
    file.write_text(f"{file.read_text('utf-8')}\n{block}", encoding="utf-8")


def add_the_series(copy: Path) -> None:
    """The page's entry, and figures made up for it."""
    append(copy / "assets/catalog/series/context.toml", blocks(PAGE, "toml")[0])
    rows = "".join(f"{month},{1000 + n}.0\n" for n, month in enumerate(MONTHS))
    (copy / "sample_data" / f"{SERIES}.csv").write_text(f"date,value\n{rows}", encoding="utf-8")


def add_the_column_and_the_table(copy: Path) -> None:
    """Every other block of the page, into the file it names."""
    _, column, table = blocks(PAGE, "toml")
    append(copy / "assets/catalog/tables/context.toml", column)
    (copy / "assets/catalog/tables/housing.toml").write_text(table, encoding="utf-8")
    builder, test = blocks(PAGE, "python")
    (copy / "assets/compute/tables/housing.py").write_text(builder, encoding="utf-8")
    (copy / "tests/unit/test_tables_housing.py").write_text(test, encoding="utf-8")
    for diff in blocks(PAGE, "diff"):
        subprocess.run(["git", "apply", "-"], cwd=copy, input=diff, text=True, check=True)


def release(copy: Path, data: str, *arguments: str) -> dict[str, list[tuple[object, ...]]]:
    """What a command published of the three into a data directory."""
    run = python(copy, *arguments, REGIME_DATA_DIR=data)
    assert run.returncode == 0, run.stderr
    queries = {
        "series": f"SELECT unit, rows_published FROM series WHERE series_id = '{SERIES}'",
        "known": f"SELECT count(*) FROM series_as_of('{SERIES}', DATE '2025-12-31')",
        "late": "SELECT count(*) FROM late_figures",
        "column": "SELECT as_of_date, housing_starts_thousands FROM context ORDER BY 1",
        "table": "SELECT as_of_date, housing_starts_yoy_pct FROM housing ORDER BY 1",
        "kinds": "SELECT DISTINCT row_kind FROM regime ORDER BY 1",
    }
    with duckdb.connect(str(copy / data / "published/regime.duckdb"), read_only=True, config=CONFIG) as con:
        return {name: con.execute(query).fetchall() for name, query in queries.items()}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_blocks_of_the_page_are_all_that_is_needed(copy: Path, published_night: Night) -> None:
    """The nightly run over a release made when there was none of the three; it equals a release from nothing."""
    shutil.copytree(published_night.published.parent, copy / "data" / "published")
    shutil.copyfile(published_night.warehouse, copy / "data" / published_night.warehouse.name)
    add_the_series(copy)
    add_the_column_and_the_table(copy)
    tested = python(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/test_tables_housing.py")
    assert tested.returncode == 0, tested.stdout
    after = release(copy, "data", "-m", "pipelines", "run")
    assert after["series"] == [("Thousands of Units", len(MONTHS))]
    assert after["known"] == [(len(MONTHS) - 1,)]  # December was not published at its end
    fresh = release(copy, "fresh", "-c", RELEASE)
    assert after == fresh  # backfilled rows have the column as in a data directory that always had it
    assert after["late"] == [(0,)]
    starts = [value for _, value in after["column"] if value is not None]
    changes = [value for _, value in after["table"] if value is not None]
    assert starts[-1] == 1000 + len(MONTHS) - 1 and len(starts) > 300
    assert len(after["table"]) > len(changes) > 280
