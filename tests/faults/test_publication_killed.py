"""kill -9 at any moment of a publication alone, where files change hands: many moments in little time."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from assets.catalog.loader import PROJECT_ROOT
from assets.warehouse.schema import open_warehouse
from tests.faults.kills import DataDirectory, Moment, moments
from tests.faults.test_kill_nine import KILLS, SEED
from tests.integration.conftest import STARTED_AT
from tests.integration.sample_night import SAMPLE_END, fill, night_facts


class Publications:
    """Publications in a place, each in a process of its own."""

    def __init__(self, place: DataDirectory, server: subprocess.Popen[str]) -> None:
        self.place, self._server, self._number = place, server, 0

    def publish(self, moment: Moment | None = None) -> tuple[int, float]:
        """One, killed at a moment it may not live to see; exit status, negative when killed, and processor time."""
        before = self.place.signs()
        assert self._server.stdin is not None
        self._number += 1
        self._server.stdin.write(f"{self._number}\n")
        self._server.stdin.flush()
        pid = int(self._line())
        if moment is not None:
            self.place.kill(pid, lambda: not psutil.pid_exists(pid), moment, before)
        status, seconds = self._line().split()
        assert status in ("0", "-9")
        return int(status), float(seconds)

    def _line(self) -> str:
        assert self._server.stdout is not None
        line = self._server.stdout.readline()
        assert line, "the process that starts publications is gone"
        return line


@pytest.fixture
def publications(tmp_path: Path) -> Iterator[Publications]:
    """A data directory in which a night's work is done, all but the publication."""
    place = DataDirectory(tmp_path)
    place.published.parent.mkdir(parents=True)
    with open_warehouse(place.data / "sample.warehouse.duckdb") as con:
        fill(con, night_facts(place.data, SAMPLE_END, STARTED_AT))
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.publishing", str(place.data)],
        cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        yield Publications(place, server)
        assert server.stdin is not None
        server.stdin.close()


@pytest.mark.kill
@pytest.mark.timeout(600 + 90 * KILLS)
def test_a_publication_killed_at_any_moment_leaves_the_old_release_or_the_new_one(
    publications: Publications,
) -> None:
    place, came_to, began = publications.place, Counter[str](), time.monotonic()
    publications.publish()
    status, seconds = publications.publish()
    assert status == 0
    seen = place.seen()
    for number, moment in enumerate(moments(KILLS, SEED, seconds), 1):
        status, _ = publications.publish(moment)
        try:
            after = place.seen()
            outcome = place.compared(seen, after)
        except BaseException as error:
            error.add_note(f"kill {number} of {KILLS}, seed {SEED}: {moment}, exit {status}")
            raise
        came_to[f"{moment.after}: {outcome if status else 'ended by itself'}"] += 1
        print(
            f"{number}/{KILLS} {moment.after} +{moment.seconds:.2f} s: {outcome}, exit {status}", flush=True
        )
        seen = after
    assert publications.publish()[0] == 0
    place.assert_nothing_is_left(seen)
    print(f"{KILLS} kills in {time.monotonic() - began:.0f} s:", dict(sorted(came_to.items())))
