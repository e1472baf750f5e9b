"""kill -9 at any moment of a run: readers keep the old release or have the new one, and the next run completes.

`make test-kill` kills 200 runs, `pytest -m kill` ten, four of ten while they publish. KILLS is their number, KILL_SEED
draws other moments.
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
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import duckdb
import psutil
import pytest

from assets.publish.folder import SUMS, damaged, read_sums, releases, releases_folder, sha256_of
from assets.warehouse.connection import CONFIG
from assets.warehouse.lock import RunLock
from assets.warehouse.schema import open_warehouse
from pipelines.verify import verify
from tests.nightly_run import ROOT, new_installation

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("KILL_SEED", "20260601"))
FIRST_DATE, LAST_DATE = dt.date(2026, 3, 31), dt.date(2026, 5, 31)
POLL_SECONDS = 0.004
# Sign of publication -> seconds after it within which a run is killed. Each gets a tenth of the moments.
SIGNS = {"staged": 4.0, "filling": 2.0, "sealing": 0.4, "swapped": 0.4}


class Moment(NamedTuple):
    """`seconds` after the run began, or after a sign of its publication appeared.

    They are the processor time of the run itself: a machine busy with something else spreads the moments all the same.
    """

    after: str
    seconds: float


def moments(whole_run_seconds: float) -> list[Moment]:
    """Moments over the length of a run, a share of them in the steps of its publication, in random order."""
    chance, drawn = random.Random(SEED), []
    for number in range(KILLS):
        sign = int(10 * (number + 0.5) / KILLS)
        name, limit = [*SIGNS.items()][sign] if sign < len(SIGNS) else ("begun", whole_run_seconds)
        drawn.append(Moment(name, chance.uniform(0, limit)))
    chance.shuffle(drawn)
    return drawn


class Seen(NamedTuple):
    """A data directory at one moment: the release readers see, its hash, and the rows of every warehouse table."""

    release_id: str
    sha256: str
    rows: dict[str, int]


class Place:
    """Runs of the command line in a folder, with a Dagster history of their own, and what they leave there."""

    def __init__(self, folder: Path) -> None:
        self.data, self.scratch, self.log = folder / "data", folder / "scratch", folder / "run.log"
        self.published = self.data / "published" / "regime.duckdb"
        self.environ, self.as_of = new_installation(folder).environment, FIRST_DATE

    def run(self, moment: Moment | None = None) -> int:
        """One run, killed at a moment it may not live to see; its exit status, negative when it was killed."""
        before = self.signs()
        with self.log.open("w") as log, subprocess.Popen(
            [sys.executable, "-m", "pipelines", "run", "--as-of", str(self.as_of)],
            cwd=ROOT, env=self.environ, stdout=log, stderr=log,
        ) as process:  # fmt: skip
            since = 0.0 if moment is None or moment.after == "begun" else None
            while moment is not None and process.poll() is None:
                with suppress(psutil.NoSuchProcess):
                    spent = sum(psutil.Process(process.pid).cpu_times()[:2])
                    if since is None and self.signs()[moment.after] not in (
                        before[moment.after],
                        0,
                        frozenset(),
                    ):
                        since = spent
                    if since is not None and spent - since >= moment.seconds:
                        process.kill()
                time.sleep(POLL_SECONDS)
            status = process.wait()
        assert status in (0, -9), self.log.read_text()
        return status

    def step(self) -> None:
        """The next run is about a later day, so that it has figures of its own to publish."""
        self.as_of = min(self.as_of + dt.timedelta(days=5), LAST_DATE)

    def signs(self) -> dict[str, object]:
        """What shows how far a publication is; a sign that differs from before the run has appeared."""
        left = releases_folder(self.published)
        unfinished = frozenset(path.name for path in left.glob(".*.unfinished"))
        sealed = frozenset(path.parent.name for path in left.glob(f".*.unfinished/{SUMS}"))
        staged = self.published.with_name(f".{self.published.name}.tmp")
        return dict(zip(SIGNS, (inode(staged), unfinished, sealed, inode(self.published)), strict=True))

    def seen(self) -> Seen:
        """What a new reader and an auditor find. Raises what they would run into."""
        with duckdb.connect(str(self.published), read_only=True, config=CONFIG) as con:
            row = con.execute("SELECT release_id, (SELECT count(*) FROM regime) FROM release_manifest")
            release_id, months = row.fetchall()[0]
        assert months > 400
        with self.copied() as con:
            names = con.execute(
                "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary"
            ).fetchall()
            rows = {name: con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for (name,) in names}
        return Seen(release_id, sha256_of(self.published), rows)

    @contextmanager
    def copied(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A copy of the warehouse, opened as the next run does, so that the killed run's log is left to that run."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        for file in self.data.glob("sample.warehouse.duckdb*"):
            shutil.copyfile(file, self.scratch / file.name)
        lock = RunLock(self.scratch / "run.lock")  # a torn file is replaced by the copy kept of it
        with open_warehouse(self.scratch / "sample.warehouse.duckdb", lock=lock) as con:
            yield con

    def folder_of(self, seen: Seen) -> Path:
        """Where the release of the published file lies, undamaged: under its name, or still to get it."""
        named = releases_folder(self.published) / seen.release_id
        folder = named if named.is_dir() else named.with_name(f".{seen.release_id}.unfinished")
        assert read_sums(folder)[self.published.name] == seen.sha256 and damaged(folder) == []
        return folder

    def assert_reproduced(self, seen: Seen) -> None:
        """The release's tables come out of the warehouse as it stands."""
        with self.copied() as con:
            found = verify(self.folder_of(seen), con, ROOT)
        assert found.numbers == [] and found.rows["regime"] > 400

    def compared(self, before: Seen, after: Seen) -> str:
        """Which release stands; raises when it is neither, or when the warehouse has lost a row."""
        lost = {name: rows for name, rows in before.rows.items() if after.rows.get(name, 0) < rows}
        assert lost == {}, f"rows before: {lost}"
        self.folder_of(after)
        if after.release_id == before.release_id:
            assert after.sha256 == before.sha256
            return "the old release"
        assert after.release_id > before.release_id
        return "the new release"

    def assert_nothing_is_left(self, before: Seen) -> None:
        """After a publication that was not killed: it, all releases whole, no file of a killed one."""
        seen = self.seen()
        assert seen.release_id > before.release_id
        self.assert_reproduced(seen)
        folders = releases(self.published)
        assert [folder.name for folder in folders if damaged(folder)] == []
        assert folders[-1].name == seen.release_id
        assert [path.name for path in self.published.parent.rglob(".*")] == []
        # a killed run's marker goes with its run, which is closed once it has been silent for a while; a torn file is
        # kept, for whoever wants to know
        there = {path.name for path in self.data.iterdir() if not path.match("run-*.lock")}
        left = {name for name in there if ".damaged-" not in name}
        assert left == {"published", "run.lock", "sample.warehouse.duckdb", "sample.warehouse.duckdb.kept"}


def inode(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_ino
    return 0


@pytest.mark.kill
@pytest.mark.timeout(900 + 300 * KILLS)
def test_a_run_killed_at_any_moment_leaves_the_old_release_or_the_new_one(tmp_path: Path) -> None:
    place, came_to = Place(tmp_path), Counter[str]()
    assert place.run() == 0  # the first one reads the figures for the first time
    place.step()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert place.run() == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    seen = place.seen()
    for number, moment in enumerate(moments(seconds), 1):
        status = place.run(moment)
        try:
            found = place.seen()
            outcome = place.compared(seen, found)
            if outcome == "the new release":
                place.assert_reproduced(found)
                place.step()
        except BaseException as error:
            error.add_note(f"kill {number} of {KILLS}, seed {SEED}: {moment}, exit {status}")
            raise
        came_to[f"{moment.after}: {outcome if status else 'ended by itself'}"] += 1
        print(f"{number}/{KILLS} {moment}: {outcome}, exit {status}", flush=True)
        seen = found
    assert place.run() == 0
    place.assert_nothing_is_left(seen)
    print(f"a run takes {seconds:.0f} processor seconds; {KILLS} kills:", dict(sorted(came_to.items())))
