"""SIGINT, SIGTERM and SIGHUP at any moment of a run: status 130 and one line, never a blocked publication.

A run that has published when the signal arrives leaves with 0. SIGNALS is the number of moments of the slow test,
SIGNAL_SEED draws other moments.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from pipelines.instance import open_instance
from pipelines.problems import situation_of
from pipelines.settings import load_settings
from tests.nightly_run import ROOT, NightlyRun, new_installation

SIGNALS = int(os.environ.get("SIGNALS", "2"))
SEED = int(os.environ.get("SIGNAL_SEED", "20260601"))
ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
UNCHANGED = "interrupted; the previous publication is unchanged"
CHANGED = "interrupted after the publication: "


class Runs:
    """Runs of the sample in a separate data directory."""

    def __init__(self, folder: Path) -> None:
        self.home, self._log = folder / "dagster_home", folder / "run.log"
        self.published = folder / "data" / "published" / "regime.duckdb"
        self._environ = new_installation(folder).environment
        self.settings = load_settings(environ=self._environ)

    def begin_with(self, made: NightlyRun) -> float:
        """Its release and history are there before; the seconds it took."""
        return float((made.copied(self.home.parent).folder / "run.seconds").read_text("utf-8"))

    def run(self, number: int | None = None, *, after: str = "", seconds: float = 0.0) -> tuple[int, str]:
        """One run, signalled `seconds` after its output matches `after`; its exit status and all it printed."""
        with self._log.open("w") as log, subprocess.Popen(
            [sys.executable, "-m", "pipelines", "run"],
            cwd=ROOT, env=self._environ, stdout=log, stderr=log,
        ) as process:  # fmt: skip
            while process.poll() is None and number is not None:
                if re.search(after, self._log.read_text()):
                    time.sleep(seconds)
                    process.send_signal(number)
                    break
                time.sleep(0.01)
            status = process.wait(timeout=300)
        return status, self._log.read_text()

    def assert_interrupted(self, number: signal.Signals, after: str, seconds: float) -> None:
        before = _content(self.published)
        status, output = self.run(number, after=after, seconds=seconds)
        shown = f"{number.name} {seconds:.2f} s after {after!r}: exit {status}\n{output}"
        assert "Traceback" not in output and "Error" not in output, shown
        # CPython ends by SIGINT, a 130 in the shell, when a caught KeyboardInterrupt passed through exec() of a string.
        if status in (130, -signal.SIGINT):
            assert output.endswith(f"{UNCHANGED}\n") and output.count("interrupted") == 1, shown
            assert _content(self.published) == before, shown
        else:
            assert status == 0 and _content(self.published) != before, shown
            assert UNCHANGED not in output, shown
        with open_instance(self.home) as instance:
            situation = situation_of(self.settings, instance, dt.datetime.now(dt.UTC))
            assert [one for one in situation.problems if one.topic == "run"] == [], shown
            unfinished = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE])
            assert instance.get_run_records(unfinished) == [], shown


def _content(published: Path) -> bytes | None:
    return published.read_bytes() if published.exists() else None


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.setenv("DAGSTER_HOME", os.environ["DAGSTER_HOME"])
    return Runs(tmp_path)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("number", "after", "seconds"),
    [
        (signal.SIGTERM, "SAMPLE DATA", 0.0),
        (signal.SIGINT, "loading the pipeline", 3.0),
    ],
)
def test_a_signal_is_an_interruption_and_no_blocked_publication(
    runs: Runs, number: signal.Signals, after: str, seconds: float
) -> None:
    runs.assert_interrupted(number, after, seconds)


@pytest.mark.slow
@pytest.mark.timeout(900 + 300 * SIGNALS)
def test_a_signal_at_any_moment_leaves_the_old_release_or_the_new_one(
    runs: Runs, nightly_run: NightlyRun
) -> None:
    whole, chance = runs.begin_with(nightly_run), random.Random(SEED)
    for n in range(SIGNALS):
        runs.assert_interrupted(ALL[n % 3], "SAMPLE DATA", chance.uniform(0, whole))
    status, output = runs.run()
    assert status == 0, output
    assert not list(runs.published.parent.rglob(".*"))
