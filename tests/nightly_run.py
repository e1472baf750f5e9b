"""The real nightly command on the sample, in a separate process, and folders that are made once a session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class NightlyRun:
    """A data directory and a Dagster history after `python -m pipelines run`."""

    folder: Path

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def published(self) -> Path:
        return self.data_dir / "published" / "regime.duckdb"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point any command at this folder."""
        return {
            **os.environ,
            "REGIME_PROFILE": "sample",
            "REGIME_DATA_DIR": str(self.data_dir),
            "DAGSTER_HOME": str(self.folder / "dagster_home"),
        }

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One `python -m pipelines` command in this folder."""
        return subprocess.run(
            [sys.executable, "-m", "pipelines", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=1500,
        )

    def copied(self, folder: Path) -> NightlyRun:
        """The same state in another folder, for a test that changes it."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return NightlyRun(folder)


@contextmanager
def running_night(environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The nightly command at work; it never outlives the block."""
    run = subprocess.Popen(
        [sys.executable, "-m", "pipelines", "run"], cwd=ROOT, env=environ,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield run
    finally:
        run.kill()
        run.communicate()


def new_installation(folder: Path) -> NightlyRun:
    """A folder with the project's Dagster configuration, and nothing else if it is new."""
    (folder / "dagster_home").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "dagster_home" / "dagster.yaml", folder / "dagster_home" / "dagster.yaml")
    return NightlyRun(folder)


def make_nightly_run(folder: Path) -> None:
    """The first run in a new folder; its output is in run.out and run.err, its length in run.seconds."""
    since = time.monotonic()
    done = new_installation(folder).command("run")
    (folder / "run.seconds").write_text(str(time.monotonic() - since), "utf-8")
    (folder / "run.out").write_text(done.stdout, "utf-8")
    (folder / "run.err").write_text(done.stderr, "utf-8")
    assert done.returncode == 0, done.stderr


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder made once for all processes the tests run in; whoever comes first makes it, the others wait.

    TESTS_MADE_ONCE names a directory that several sessions share, as those of the build server do.
    """
    shared = os.environ.get("TESTS_MADE_ONCE")
    if shared is None and "PYTEST_XDIST_TESTRUNUID" not in os.environ:  # all tests in this process
        folder = factory.mktemp(name)
        make(folder)
        return folder
    folder = Path(shared or factory.getbasetemp().parent) / name
    made = folder.with_name(f"{name}.made")  # no rename: what is made may know its own path
    with FileLock(f"{folder}.lock"):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # another process failed to make it
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
