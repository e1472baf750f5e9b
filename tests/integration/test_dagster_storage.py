"""Dagster's history is stored by Dagster alone: readable without the project; an old configuration is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from assets.catalog.loader import PROJECT_ROOT
from pipelines.instance import open_instance, outdated_configuration
from tests.nightly_run import new_installation

CONFIGURATION = PROJECT_ROOT / "dagster_home" / "dagster.yaml"
OLD_ENTRY = "\nevent_log_storage:\n  module: pipelines.event_log\n  class: OpenSqliteEventLog\n"
WITHOUT_PROJECT = """
import importlib.util, sys
root = sys.argv[1]
sys.path = [entry for entry in sys.path if entry not in ("", root)]
assert importlib.util.find_spec("pipelines") is None
import dagster
with dagster.DagsterInstance.get() as instance:
    print(instance.get_runs_count())
assert "pipelines" not in sys.modules
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DAGSTER_HOME with the project's configuration."""
    home = new_installation(tmp_path).folder / "dagster_home"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return home


@dg.asset
def source() -> None:
    """Nothing."""


def test_the_instance_opens_without_the_project(home: Path, tmp_path: Path) -> None:
    """A Dagster tool started elsewhere cannot import a class of this project."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with open_instance(home) as instance:
        dg.materialize([source], instance=instance)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PROJECT, str(PROJECT_ROOT)],
        cwd=tmp_path, env={**environment, "DAGSTER_HOME": str(home)}, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


@pytest.fixture
def outdated_home(home: Path) -> Path:
    with (home / "dagster.yaml").open("a", encoding="utf-8") as file:
        file.write(OLD_ENTRY)
    return home


@pytest.mark.parametrize("command", ["run", "doctor", "make ui"])
def test_an_old_configuration_is_one_line_with_the_fix(
    command: str, outdated_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "REGIME_DATA_DIR": str(tmp_path / "data"),
        "REGIME_PROFILE": "sample",
        "PORT": "0",
    }.items():
        monkeypatch.setenv(name, value)
    arguments = ["deploy/ui.sh"] if command == "make ui" else [sys.executable, "-m", "pipelines", command]
    done = subprocess.run(arguments, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == (1 if command == "doctor" else 2)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "event_log_storage" in line]
    assert len(lines) == 1 and (command != "make ui" or done.stderr.count("\n") == 1), done.stderr
    assert (
        f"{outdated_home}/dagster.yaml names pipelines.event_log, which no longer exists: delete" in lines[0]
    )
    assert "copy dagster_home/dagster.yaml there" in lines[0]
    assert not (outdated_home / "history").exists()


OTHER_CONFIGURATIONS = {
    "none": None,
    "own": CONFIGURATION.read_text("utf-8"),
    "another class": "event_log_storage: {module: dagster_postgres, class: PostgresEventLogStorage}",
    "in a comment": "#" + OLD_ENTRY.replace("\n", "\n#"),
}


@pytest.mark.parametrize("which", OTHER_CONFIGURATIONS)
def test_only_the_removed_class_is_refused(which: str, tmp_path: Path) -> None:
    text = OTHER_CONFIGURATIONS[which]
    if text is not None:
        (tmp_path / "dagster.yaml").write_text(text, encoding="utf-8")
    assert outdated_configuration(tmp_path) is None
