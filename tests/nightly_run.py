"""The real nightly command on the sample, as a process of its own, for tests that need what it leaves behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class NightlyRun:
    """A data directory and a Dagster history after `python -m pipelines run`."""

    place: Path

    @property
    def data_dir(self) -> Path:
        return self.place / "data"

    @property
    def published(self) -> Path:
        return self.data_dir / "published" / "regime.duckdb"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point any command at this place."""
        return {
            **os.environ,
            "REGIME_PROFILE": "sample",
            "REGIME_DATA_DIR": str(self.data_dir),
            "DAGSTER_HOME": str(self.place / "dagster_home"),
        }

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One `python -m pipelines` command in this place."""
        return subprocess.run(
            [sys.executable, "-m", "pipelines", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=1500,
        )

    def copied(self, place: Path) -> NightlyRun:
        """The same state in another folder, for a test that changes it."""
        shutil.copytree(self.place, place, dirs_exist_ok=True)
        return NightlyRun(place)


def new_place(place: Path) -> NightlyRun:
    """An empty place with the project's Dagster configuration."""
    (place / "dagster_home").mkdir(parents=True)
    shutil.copyfile(ROOT / "dagster_home" / "dagster.yaml", place / "dagster_home" / "dagster.yaml")
    return NightlyRun(place)


def run_first_night(place: Path) -> None:
    """The first run of a new place; what it printed stays in run.out and run.err."""
    done = new_place(place).command("run")
    (place / "run.out").write_text(done.stdout, "utf-8")
    (place / "run.err").write_text(done.stderr, "utf-8")
    assert done.returncode == 0, done.stderr
