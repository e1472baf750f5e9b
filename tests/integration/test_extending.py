"""A series is one entry and one file of figures: done as docs/extending.md says, in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from assets.warehouse.connection import CONFIG
from tests.integration.test_readme import ROOT, blocks

PAGE = ROOT / "docs" / "extending.md"
ROOMS = ("assets", "checks", "pipelines", "sample_data", "dagster_home")
MONTHS = [f"{year}-{month:02}-01" for year in range(2000, 2026) for month in range(1, 13)]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's rooms, without anything it has made."""
    for room in ROOMS:
        skip = shutil.ignore_patterns("__pycache__", "history", "schedules", "storage", "logs", ".*")
        shutil.copytree(ROOT / room, tmp_path / room, ignore=skip)
    for name in ("pyproject.toml", "requirements.lock", "workspace.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def python(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    own = ("REGIME_", "FRED_", "DAGSTER_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environ, capture_output=True, text=True, timeout=300
    )


def add_the_series(copy: Path) -> str:
    """The page's entry, and figures made up for it; returns its id."""
    (entry,) = blocks(PAGE, "toml")
    (series_id,) = re.findall(r"^\[(\w+)\]", entry, re.MULTILINE)
    named = copy / re.findall(r"`(assets/catalog/series/\w+\.toml)`", PAGE.read_text("utf-8"))[0]
    named.write_text(f"{named.read_text('utf-8')}\n{entry}", encoding="utf-8")
    rows = "".join(f"{month},{1000 + n}.0\n" for n, month in enumerate(MONTHS))
    (copy / "sample_data" / f"{series_id}.csv").write_text(f"date,value\n{rows}", encoding="utf-8")
    return series_id


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_series_needs_an_entry_and_a_file_of_figures_and_nothing_else(copy: Path) -> None:
    series_id = add_the_series(copy)
    listed = python(
        copy, "-c", "from pipelines.definitions import defs; print(defs.resolve_all_asset_keys())"
    )
    assert f"['raw', 'fred', '{series_id}']" in listed.stdout, listed.stderr
    night = python(copy, "-m", "pipelines", "run")
    assert night.returncode == 0, night.stderr
    published = copy / "data" / "published" / "regime.duckdb"
    with duckdb.connect(str(published), read_only=True, config=CONFIG) as con:
        known = con.execute(f"SELECT count(*) FROM series_as_of('{series_id}', DATE '2025-12-31')").fetchall()
        said = con.execute("SELECT unit, rows_published FROM series WHERE series_id = ?", [series_id])
        assert said.fetchall() == [("Thousands of Units", len(MONTHS))]
    assert known == [(len(MONTHS) - 1,)]  # December was not out at its end
    shown = python(copy, "-m", "pipelines", "as-of", "2025-12-31", series_id)
    assert shown.returncode == 0 and "2025-11-01" in shown.stdout


def test_an_entry_with_a_slip_is_refused_with_its_place(copy: Path) -> None:
    series_id = add_the_series(copy)
    file = copy / "assets" / "catalog" / "series" / "context.toml"
    file.write_text(
        file.read_text("utf-8").replace('"Thousands of Units"', '"Thousands of Units"\nunits = "K"')
    )
    for command in ("run", "doctor"):
        told = python(copy, "-m", "pipelines", command)
        said = [line for line in (told.stdout + told.stderr).splitlines() if "unknown key 'units'" in line]
        assert len(said) == 1 and f"context.toml: {series_id}: " in said[0], told
        assert told.returncode in (1, 2) and "Traceback" not in told.stderr
    assert not (copy / "data" / "published" / "regime.duckdb").exists()
