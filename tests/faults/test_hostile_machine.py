"""A machine that is full or read-only: the whole command on it; a clock set back: `tests/unit/test_merge.py`.

The publication is unchanged, the problem is reported in one line, and the next run on a sound machine completes.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from assets.catalog.loader import PROJECT_ROOT
from assets.publish.folder import damaged, releases
from assets.warehouse.connection import CONFIG
from assets.warehouse.schema import open_warehouse
from pipelines.verify import verify
from tests.helpers import files_of
from tests.nightly_run import NightlyRun

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

Done = subprocess.CompletedProcess[str]
_FULL = "the disk is full; free some space|no space left on device: free some space|MB free, publish"


def run(data: Path, *, before: Callable[[], None] | None = None, zone: str = "UTC") -> Done:
    """`python -m pipelines run` on a data directory, with a separate Dagster history, on a sound disk."""
    home = Path(os.environ["DAGSTER_HOME"])
    shutil.copyfile(PROJECT_ROOT / "dagster_home" / "dagster.yaml", home / "dagster.yaml")
    return subprocess.run(
        [sys.executable, "-m", "pipelines", "run"], cwd=PROJECT_ROOT, capture_output=True, text=True, preexec_fn=before,
        env={**os.environ, "REGIME_DATA_DIR": str(data), "TZ": zone},
    )  # fmt: skip


@pytest.fixture
def data(nightly_run: NightlyRun, tmp_path: Path) -> Path:
    """A data directory with one release in it."""
    return Path(shutil.copytree(nightly_run.data_dir, tmp_path / "data"))


def assert_unchanged(data: Path, was: dict[str, bytes]) -> None:
    """The published folder is unchanged, without unfinished files, and readers open it."""
    assert files_of(data / "published") == was
    with duckdb.connect(str(data / "published" / "regime.duckdb"), read_only=True, config=CONFIG) as con:
        assert con.execute("SELECT count(*) FROM regime").fetchall()[0][0] > 400


def assert_completes(data: Path) -> None:
    done = run(data, zone="Pacific/Kiritimati")  # the zone of the machine changes nothing
    assert done.returncode == 0, done.stderr
    newest = releases(data / "published" / "regime.duckdb")[-1]
    assert len(releases(data / "published" / "regime.duckdb")) == 2 and damaged(newest) == []
    with open_warehouse(data / "sample.warehouse.duckdb") as con:
        assert verify(newest, con, PROJECT_ROOT).numbers == []


def assert_one_line(done: Done, message: str, status: set[int]) -> None:
    assert done.returncode in status, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if re.search(message, line)]
    assert len(lines) == 1, done.stderr


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@contextmanager
def mounted(point: Path, *arguments: str) -> Iterator[Path]:
    point.mkdir(exist_ok=True)
    mount(*arguments, str(point))
    try:
        yield point
    finally:
        subprocess.run(["umount", str(point)], check=True)


def test_a_disk_that_fills_up_in_the_middle_of_the_tables(data: Path, tmp_path: Path) -> None:
    """A full disk at each step of publishing: `tests/unit/test_publication.py`."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=900m", "none") as disk:
        shutil.copytree(data, disk / "data")
        mount("-o", f"remount,size={shutil.disk_usage(disk).used + 8 * 2**20}", str(disk))
        was = files_of(disk / "data" / "published")
        assert_one_line(run(disk / "data"), _FULL, {1, 2})
        assert_unchanged(disk / "data", was)
        mount("-o", "remount,size=900m", str(disk))
        assert_completes(disk / "data")


def test_a_limit_on_the_size_of_a_file(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a quota does; it needs no root. Dagster's history is a new one, and so below the limit."""
    (tmp_path / "history").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "history"))
    limit = (data / "sample.warehouse.duckdb").stat().st_size // 2
    was = files_of(data / "published")
    done = run(data, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert_one_line(done, "(?i)file too large", {1, 2})
    assert_unchanged(data, was)


@pytest.mark.parametrize("where", [".", "published"])
def test_a_read_only_data_directory(data: Path, where: str) -> None:
    was, folder = files_of(data / "published"), data / where
    if os.geteuid() != 0:
        folder.chmod(0o555)
        done = run(data)
        folder.chmod(0o755)
    else:  # nothing is read-only for root but a file system that is
        with mounted(folder, "--bind", str(folder)):
            mount("-o", "remount,ro,bind", str(folder))
            done = run(data)
    assert_one_line(done, "check its owner|check REGIME_DATA_DIR", {2})
    assert_unchanged(data, was)
