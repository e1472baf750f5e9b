"""Dagster's history is stored by Dagster alone: readable without the project, and of an earlier version."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import dagster as dg
import pytest

from assets.catalog.loader import PROJECT_ROOT
from pipelines.instance import open_instance, outdated_configuration

CONFIGURATION = PROJECT_ROOT / "dagster_home" / "dagster.yaml"
OLD_ENTRY = "\nevent_log_storage:\n  module: pipelines.event_log\n  class: OpenSqliteEventLog\n"
# A run of two assets and a check that failed, written by the event storage of version 0.1: all rows of its three files.
OLD_HISTORY = Path(__file__).with_name("old_history")
OLD_RUN = "a600da5b-1fc9-415d-a199-a14dd4d6acad"
OLD_FILES = {"runs": "runs.db", "index": "runs/index.db", "run": f"runs/{OLD_RUN}.db"}
DERIVED = dg.AssetKey("derived")
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
    home = tmp_path / "home"
    home.mkdir()
    shutil.copyfile(CONFIGURATION, home / "dagster.yaml")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return home


@pytest.fixture
def old_home(home: Path) -> Path:
    """The same, with the old history as a killed process leaves it: every row still in the write-ahead logs."""
    (home / "history" / "runs").mkdir(parents=True)
    made = home.with_name("made")
    with ExitStack() as opened:
        for dump, name in OLD_FILES.items():
            writer = made / name
            writer.parent.mkdir(parents=True, exist_ok=True)
            connection = opened.enter_context(closing(sqlite3.connect(writer)))
            connection.executescript("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;")
            connection.executescript((OLD_HISTORY / f"{dump}.sql").read_text("utf-8"))
            for end in ("", "-wal"):  # copied while the writer has them open
                shutil.copyfile(f"{writer}{end}", f"{home / 'history' / name}{end}")
    return home


@dg.asset
def source() -> None:
    """Nothing."""


@dg.asset(deps=[source])
def derived() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 4})


@dg.asset_check(asset=derived)
def suite() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


def test_history_of_the_old_event_storage_is_readable_and_a_run_continues_it(old_home: Path) -> None:
    key = dg.AssetCheckKey(DERIVED, "suite")
    with open_instance(old_home) as instance:
        (record,) = instance.get_run_records()
        assert (record.dagster_run.run_id, record.dagster_run.status) == (
            OLD_RUN,
            dg.DagsterRunStatus.SUCCESS,
        )
        events = [entry.dagster_event_type for entry in instance.all_logs(OLD_RUN)]
        assert events.count(dg.DagsterEventType.STEP_SUCCESS) == 3 and len(events) == 22
        run_id = dg.materialize([source, derived, suite], instance=instance).run_id
        new, old = instance.fetch_materializations(DERIVED, limit=5).records
        assert (new.run_id, old.run_id) == (run_id, OLD_RUN) and old.asset_materialization is not None
        assert old.asset_materialization.metadata["rows"].value == 3
        checks = instance.event_log_storage.get_asset_check_execution_history(key, limit=5)
        assert [check.run_id for check in checks] == [run_id, OLD_RUN] and checks[1].event is not None
        evaluation = checks[1].event.asset_check_evaluation
        assert evaluation is not None and not evaluation.passed
        assert evaluation.metadata["rules_failed"].value == 1
        instance.delete_run(OLD_RUN)
        assert [record.dagster_run.run_id for record in instance.get_run_records()] == [run_id]


def test_the_instance_opens_without_the_project(old_home: Path, tmp_path: Path) -> None:
    """A Dagster tool started elsewhere cannot import a class of this project."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PROJECT, str(PROJECT_ROOT)],
        cwd=tmp_path, env={**environment, "DAGSTER_HOME": str(old_home)}, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


@pytest.fixture
def outdated_home(home: Path) -> Path:
    with (home / "dagster.yaml").open("a", encoding="utf-8") as file:
        file.write(OLD_ENTRY)
    return home


@pytest.mark.parametrize("command", ["run", "prune", "doctor", "make ui"])
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
    assert len(lines) == 1 and (command == "doctor" or done.stderr.count("\n") == 1), done.stderr
    assert (
        f"{outdated_home}/dagster.yaml names pipelines.event_log, which no longer exists: delete" in lines[0]
    )
    assert "copy dagster_home/dagster.yaml there" in lines[0]
    assert not (tmp_path / "data").exists() and not (outdated_home / "history").exists()


OTHER_CONFIGURATIONS = {
    "none": None,
    "own": CONFIGURATION.read_text("utf-8"),
    "broken": "telemetry: [",
    "a list": "[event_log_storage]",
    "another class": "event_log_storage: {module: dagster_postgres, class: PostgresEventLogStorage}",
    "in a comment": "#" + OLD_ENTRY.replace("\n", "\n#"),
}


@pytest.mark.parametrize("which", OTHER_CONFIGURATIONS)
def test_only_the_removed_class_is_refused(which: str, tmp_path: Path) -> None:
    text = OTHER_CONFIGURATIONS[which]
    if text is not None:
        (tmp_path / "dagster.yaml").write_text(text, encoding="utf-8")
    assert outdated_configuration(tmp_path) is None
