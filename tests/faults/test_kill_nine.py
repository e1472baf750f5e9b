"""kill -9 at any moment of a run: readers keep the old release or have the new one, and the next run completes.

`make test-kill` kills 200 runs, `pytest -m kill` ten, four of ten while they publish. KILLS is their number, KILL_SEED
draws other moments.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.kills import DataDirectory, Moment, moments
from tests.nightly_run import ROOT, new_installation

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("KILL_SEED", "20260601"))
FIRST_DATE, LAST_DATE = dt.date(2026, 3, 31), dt.date(2026, 5, 31)


class Runs:
    """Runs of the command line in a place, with a Dagster history of their own."""

    def __init__(self, folder: Path) -> None:
        self.place, self._log = DataDirectory(folder), folder / "run.log"
        self._environ, self._as_of = new_installation(folder).environment, FIRST_DATE

    def run(self, moment: Moment | None = None) -> int:
        """One run, killed at a moment it may not live to see; its exit status, negative when it was killed."""
        before = self.place.signs() if moment else {}
        with self._log.open("w") as log, subprocess.Popen(
            [sys.executable, "-m", "pipelines", "run", "--as-of", str(self._as_of)],
            cwd=ROOT, env=self._environ, stdout=log, stderr=log,
        ) as process:  # fmt: skip
            if moment is not None:
                self.place.kill(process.pid, lambda: process.poll() is not None, moment, before)
            status = process.wait()
        assert status in (0, -9), self._log.read_text()
        return status

    def measured(self) -> float:
        """One whole run; the processor seconds it took."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert self.run() == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def step(self) -> None:
        """The next run is about a later day, so that it has figures of its own to publish."""
        self._as_of = min(self._as_of + dt.timedelta(days=5), LAST_DATE)


@pytest.mark.kill
@pytest.mark.timeout(900 + 300 * KILLS)
def test_a_run_killed_at_any_moment_leaves_the_old_release_or_the_new_one(tmp_path: Path) -> None:
    runs, came_to = Runs(tmp_path), Counter[str]()
    place = runs.place
    assert runs.run() == 0  # the first one reads the figures for the first time
    runs.step()
    seconds, seen = runs.measured(), place.seen()
    for number, moment in enumerate(moments(KILLS, SEED, seconds), 1):
        status = runs.run(moment)
        try:
            after = place.seen()
            outcome = place.compared(seen, after)
            if outcome == "the new release":
                place.assert_reproduced(after.release_id)
                runs.step()
        except BaseException as error:
            error.add_note(f"kill {number} of {KILLS}, seed {SEED}: {moment}, exit {status}")
            raise
        came_to[f"{moment.after}: {outcome if status else 'ended by itself'}"] += 1
        print(
            f"{number}/{KILLS} {moment.after} +{moment.seconds:.2f} s: {outcome}, exit {status}", flush=True
        )
        seen = after
    assert runs.run() == 0
    place.assert_nothing_is_left(seen)
    print(f"a run takes {seconds:.0f} processor seconds; {KILLS} kills:", dict(sorted(came_to.items())))
