"""A machine that is full, read-only, set back in time or moved to another zone: the whole command on it.

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

_FULL = re.compile(
    r"the disk is full; free some space|no space left on device: free some space|MB free, publish"
)
# Sets a process's clock back, for its libraries as well; loaded before the C library.
_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
#define BACK (3 * 86400)
int clock_gettime(clockid_t id, struct timespec *t) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int status = real(id, t);
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) t->tv_sec -= BACK;
  return status;
}
time_t time(time_t *t) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (t) *t = now.tv_sec;
  return now.tv_sec;
}
int gettimeofday(struct timeval *restrict t, void *restrict zone) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  t->tv_sec = now.tv_sec;
  t->tv_usec = now.tv_nsec / 1000;
  return 0;
}
"""


def run(
    data: Path, *, before: Callable[[], None] | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    """`python -m pipelines run` on a data directory, with a separate Dagster history, on a sound disk."""
    home = Path(os.environ["DAGSTER_HOME"])
    shutil.copyfile(PROJECT_ROOT / "dagster_home" / "dagster.yaml", home / "dagster.yaml")
    return subprocess.run(
        [sys.executable, "-m", "pipelines", "run"], cwd=PROJECT_ROOT, capture_output=True, text=True, preexec_fn=before,
        env={**os.environ, "REGIME_DATA_DIR": str(data), **environ},
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
    done = run(data)
    assert done.returncode == 0, done.stderr
    newest = releases(data / "published" / "regime.duckdb")[-1]
    assert len(releases(data / "published" / "regime.duckdb")) == 2 and damaged(newest) == []
    with open_warehouse(data / "sample.warehouse.duckdb") as con:
        assert verify(newest, con, PROJECT_ROOT).numbers == []


def assert_one_line(
    done: subprocess.CompletedProcess[str], message: re.Pattern[str], status: set[int]
) -> None:
    assert done.returncode in status, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if message.search(line)]
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


@pytest.mark.parametrize("free_mb", [0, 8, 45])
def test_a_disk_that_fills_up_during_a_run(data: Path, tmp_path: Path, free_mb: int) -> None:
    """At the first file, in the middle of the tables, when publishing."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=900m", "none") as disk:
        shutil.copytree(data, disk / "data")
        used = shutil.disk_usage(disk).used
        mount("-o", f"remount,size={used + free_mb * 2**20}", str(disk))
        was = files_of(disk / "data" / "published")
        assert_one_line(run(disk / "data"), _FULL, {1, 2})
        assert_unchanged(disk / "data", was)
        if free_mb == 8:  # where a table was left in the middle
            mount("-o", "remount,size=900m", str(disk))
            assert_completes(disk / "data")


def test_a_limit_on_the_size_of_a_file(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a quota does; it needs no root. Dagster's history is a new one, and so below the limit."""
    (tmp_path / "history").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "history"))
    limit = (data / "sample.warehouse.duckdb").stat().st_size // 2
    was = files_of(data / "published")
    done = run(data, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert_one_line(done, re.compile("file too large", re.IGNORECASE), {1, 2})
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
    assert_one_line(done, re.compile("check its owner|check REGIME_DATA_DIR"), {2})
    assert_unchanged(data, was)


def test_a_clock_that_went_back_and_another_zone(data: Path, tmp_path: Path) -> None:
    """Three days back and across the date line: the publication is unchanged, and the new release comes after it."""
    source, library = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(_CLOCK, encoding="utf-8")
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("the clock of a process is set back by a small C library, on Linux")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    first = releases(data / "published" / "regime.duckdb")[0].name
    done = run(data, LD_PRELOAD=str(library), TZ="Pacific/Kiritimati")
    assert done.returncode == 0, done.stderr
    with open_warehouse(data / "sample.warehouse.duckdb") as con:
        started = con.execute("SELECT max(fetched_at) FROM raw.fetches WHERE run_id <> (SELECT run_id FROM "
                              "ops.publications ORDER BY published_at LIMIT 1)").fetchall()[0][0]  # fmt: skip
        found = [
            verify(release, con, PROJECT_ROOT) for release in releases(data / "published" / "regime.duckdb")
        ]
        first_published = con.execute("SELECT count(DISTINCT first_published_at) FROM ops.published_rows")
        assert first_published.fetchall() == [(1,)]
    assert started.strftime("%Y%m%dT%H%M%S") < first, "the clock was set back"
    assert found[0].release_id == first and len(found) == 2
    assert [(one.files, one.numbers) for one in found] == [([], []), ([], [])]
