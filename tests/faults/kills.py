"""Runs killed without warning, and what stands afterwards: for the test of kill -9 at any moment.

Belongs here: the moments, killing a real run there, looking at a data directory as a reader and an auditor would.
Does not belong here: what must be true of it (`test_kill_nine.py`).
"""

from __future__ import annotations

import datetime as dt
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import psutil

from assets.catalog.loader import PROJECT_ROOT
from assets.warehouse.connection import CONFIG, open_warehouse
from assets.warehouse.release_folder import SUMS, damaged, read_sums, releases_folder, sha256_of
from pipelines.verify import verify

Answer = TypeVar("Answer")
_POLL_SECONDS = 0.004
_LONGEST_SECONDS = 3600.0  # of a run that hangs, on a machine that is busy with something else
# Sign of publication -> seconds after it within which a run is killed. Each gets a tenth of the moments.
SIGNS = {"staged": 4.0, "filling": 2.0, "sealing": 0.4, "swapped": 0.4}
_SHARE = 0.1
_FIRST_DATE, _LAST_DATE = dt.date(2026, 3, 31), dt.date(2026, 5, 31)


@dataclass(frozen=True)
class Moment:
    """`seconds` after the run began, or after a sign of its publication appeared.

    They are the processor time of the run itself: a machine busy with something else spreads the moments all the same.
    """

    after: str
    seconds: float


def moments(count: int, seed: int, whole_run_seconds: float) -> list[Moment]:
    """Moments over the length of a run, a share of them in the steps of its publication, in random order."""
    chance = random.Random(seed)
    drawn = []
    for number in range(count):
        place = (number + 0.5) / count
        sign = int(place / _SHARE)
        name, limit = [*SIGNS.items()][sign] if sign < len(SIGNS) else ("begun", whole_run_seconds)
        drawn.append(Moment(name, chance.uniform(0, limit)))
    chance.shuffle(drawn)
    return drawn


@dataclass(frozen=True)
class Seen:
    """What a data directory held: the release readers see, its hash, and the rows of every table of the warehouse."""

    release_id: str
    sha256: str
    rows: dict[str, int]


class Place:
    """A data directory with a Dagster history of its own, and runs of the command line in it."""

    def __init__(self, folder: Path) -> None:
        self.data, home = folder / "data", folder / "home"
        home.mkdir()
        shutil.copyfile(PROJECT_ROOT / "dagster_home" / "dagster.yaml", home / "dagster.yaml")
        self._environ = {**os.environ, "DAGSTER_HOME": str(home), "REGIME_DATA_DIR": str(self.data)}
        self._scratch, self._log = folder / "scratch", folder / "run.log"
        self.published = self.data / "published" / "regime.duckdb"
        self.as_of = _FIRST_DATE

    def measured_run(self) -> float:
        """One whole run; the processor seconds it took."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert self.run() == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def run(self, moment: Moment | None = None) -> int:
        """One run, killed at a moment it may not live to see; its exit status, negative when it was killed."""
        done_before = self._signs() if moment else {}
        with self._log.open("w") as log, subprocess.Popen(
            [sys.executable, "-m", "pipelines", "run", "--as-of", str(self.as_of)],
            cwd=PROJECT_ROOT, env=self._environ, stdout=log, stderr=log,
        ) as process:  # fmt: skip
            if moment is not None:
                self._kill(process, moment, done_before)
            status = process.wait(timeout=_LONGEST_SECONDS)
        assert status in (0, -9), self._log.read_text()
        return status

    def _kill(self, process: subprocess.Popen[bytes], moment: Moment, before: dict[str, object]) -> None:
        run, since = psutil.Process(process.pid), 0.0 if moment.after == "begun" else None
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                spent = sum(run.cpu_times()[:2])
                if since is None and self._signs()[moment.after] not in (
                    before[moment.after],
                    0,
                    frozenset(),
                ):
                    since = spent
                if since is not None and spent - since >= moment.seconds:
                    process.kill()
            time.sleep(_POLL_SECONDS)

    def _signs(self) -> dict[str, object]:
        """What shows how far a publication is; a sign that differs from before the run has appeared."""
        left = releases_folder(self.published)
        unfinished = frozenset(path.name for path in left.glob(".*.unfinished"))
        sealed = frozenset(path.parent.name for path in left.glob(f".*.unfinished/{SUMS}"))
        staged = self.published.with_name(f".{self.published.name}.tmp")
        found = (_inode(staged), unfinished, sealed, _inode(self.published))
        return dict(zip(SIGNS, found, strict=True))

    def seen(self) -> Seen:
        """What a new reader and an auditor find. Raises what they would run into."""
        with duckdb.connect(str(self.published), read_only=True, config=CONFIG) as con:
            row = con.execute("SELECT release_id, (SELECT count(*) FROM regime) FROM release_manifest")
            release_id, months = row.fetchall()[0]
        assert months > 400
        return Seen(release_id, sha256_of(self.published), self._on_copy(_row_counts))

    def folder_of(self, release_id: str) -> Path:
        """Where the release of the published file lies: under its name, or still to get it by the next run."""
        named = releases_folder(self.published) / release_id
        return named if named.is_dir() else named.with_name(f".{release_id}.unfinished")

    def assert_whole(self, seen: Seen) -> None:
        """The published file is the one its release lists, and no other file of the release is damaged."""
        folder = self.folder_of(seen.release_id)
        assert read_sums(folder)[self.published.name] == seen.sha256
        assert damaged(folder) == []

    def assert_reproduced(self, release_id: str) -> None:
        """The release's tables come out of the warehouse as it stands."""
        folder = self.folder_of(release_id)
        found = self._on_copy(lambda con: verify(folder, con, PROJECT_ROOT))
        assert found.numbers == [] and found.rows > 400

    def step(self) -> None:
        """The next run is about a later day, so that it has figures of its own to publish."""
        self.as_of = min(self.as_of + dt.timedelta(days=5), _LAST_DATE)

    def _on_copy(self, ask: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer:
        """Ask a copy of the warehouse, so that the killed run's write-ahead log is left to the next run."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        for file in self.data.glob("sample.warehouse.duckdb*"):
            shutil.copyfile(file, self._scratch / file.name)
        with open_warehouse(self._scratch / "sample.warehouse.duckdb") as con:
            return ask(con)


def _row_counts(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = con.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary ORDER BY 1"
    ).fetchall()
    return {name: con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for (name,) in tables}


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
