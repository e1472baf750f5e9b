"""Processes killed without warning, and what stands afterwards: for the tests of kill -9 at any moment.

Belongs here: the moments, killing a process there, looking at a data directory as a reader and an auditor would, and
what must be true of it. Does not belong here: which processes are killed (`test_kill_nine.py`).
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import psutil

from assets.catalog.loader import PROJECT_ROOT
from assets.publish.folder import SUMS, damaged, read_sums, releases, releases_folder, sha256_of
from assets.warehouse.connection import CONFIG
from assets.warehouse.lock import RunLock
from assets.warehouse.schema import open_warehouse
from pipelines.verify import verify

Answer = TypeVar("Answer")
_POLL_SECONDS = 0.004
# Sign of publication -> seconds after it within which a run is killed. Each gets a tenth of the moments.
SIGNS = {"staged": 4.0, "filling": 2.0, "sealing": 0.4, "swapped": 0.4}
_SHARE = 0.1
Signs = dict[str, object]


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
    """A data directory at one moment: the release readers see, its hash, and the rows of every warehouse table."""

    release_id: str
    sha256: str
    rows: dict[str, int]


class DataDirectory:
    """A data directory in a folder, inspected by other processes."""

    def __init__(self, folder: Path) -> None:
        self.data, self._scratch = folder / "data", folder / "scratch"
        self.published = self.data / "published" / "regime.duckdb"

    def kill(self, pid: int, has_ended: Callable[[], bool], moment: Moment, before: Signs) -> None:
        """Kill a process at a moment it may not live to see; `before` is what `signs` gave before it began."""
        process, since = psutil.Process(pid), 0.0 if moment.after == "begun" else None
        while not has_ended():
            with suppress(psutil.NoSuchProcess):
                spent = sum(process.cpu_times()[:2])
                if since is None and self.signs()[moment.after] not in (before[moment.after], 0, frozenset()):
                    since = spent
                if since is not None and spent - since >= moment.seconds:
                    process.kill()
            time.sleep(_POLL_SECONDS)

    def signs(self) -> Signs:
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
        assert found.numbers == [] and found.rows["regime"] > 400

    def compared(self, before: Seen, after: Seen) -> str:
        """Which release stands; raises when it is neither, or when the warehouse has lost a row."""
        lost = {name: rows for name, rows in before.rows.items() if after.rows.get(name, 0) < rows}
        assert lost == {}, f"rows before: {lost}"
        self.assert_whole(after)
        if after.release_id == before.release_id:
            assert after.sha256 == before.sha256
            return "the old release"
        assert after.release_id > before.release_id
        return "the new release"

    def assert_nothing_is_left(self, before: Seen) -> None:
        """After a publication that was not killed: it, all releases whole, no file of a killed one."""
        seen = self.seen()
        assert seen.release_id > before.release_id
        self.assert_whole(seen)
        self.assert_reproduced(seen.release_id)
        folders = releases(self.published)
        assert [folder.name for folder in folders if damaged(folder)] == []
        assert folders[-1].name == seen.release_id
        assert sorted(path.name for path in self.published.parent.rglob(".*")) == []
        # a killed run's marker goes with its run, which is closed once it has been silent for a while
        there = sorted(path.name for path in self.data.iterdir() if not path.match("run-*.lock"))
        torn = {
            name for name in there if ".damaged-" in name
        }  # a torn file is kept, for whoever wants to know
        assert set(there) - torn == {
            "published",
            "run.lock",
            "sample.warehouse.duckdb",
            "sample.warehouse.duckdb.kept",
        }

    def _on_copy(self, ask: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer:
        """Ask a copy of the warehouse, so that the killed run's write-ahead log is left to the next run."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        for file in self.data.glob("sample.warehouse.duckdb*"):
            shutil.copyfile(file, self._scratch / file.name)
        lock = RunLock(
            self._scratch / "run.lock"
        )  # as the next run opens it: a torn file by the copy kept of it
        with open_warehouse(self._scratch / "sample.warehouse.duckdb", lock=lock) as con:
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
