"""Dagster's own commands, as docs/ui.md shows them: they load this project, under one name and with one history."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.definitions import defs
from tests.interface import Interface, free_port, served, start
from tests.nightly_run import ROOT, NightlyRun

BIN = Path(sys.executable).parent
PAGE = (ROOT / "docs" / "ui.md").read_text("utf-8")
LOCATION = "stimulus_regime"
STATE = """
{
  version
  workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } }
  runsOrError(limit: 5) { ... on Runs { results { status jobName } } }
  schedulesOrError(repositorySelector: {
    repositoryLocationName: "stimulus_regime", repositoryName: "__repository__"
  }) { ... on Schedules { results { name scheduleState { status } } } }
}
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def shown(beginning: str) -> str:
    """The one command of docs/ui.md that contains these words, without its comment."""
    block = "".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    (line,) = [line for line in block.splitlines() if beginning in line]
    return re.sub(r"\s+#\s.*$", "", line)


def run(command: str, home: Path) -> subprocess.CompletedProcess[str]:
    """A command in the project's root, with a Dagster history apart."""
    return subprocess.run(
        ["bash", "-c", command.replace(".venv/bin/", f"{BIN}/")],
        cwd=ROOT,
        env={**os.environ, "DAGSTER_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_dg_loads_every_definition_without_complaint(tmp_path: Path) -> None:
    done = run(shown("dg check defs"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "All definitions loaded successfully." in done.stdout + done.stderr
    assert "does not match the virtual environment" not in done.stdout + done.stderr


def test_dg_lists_the_assets_of_a_group(tmp_path: Path) -> None:
    listed = json.loads(run(shown("dg list defs") + " --json", tmp_path).stdout)["assets"]
    regime = {
        spec.key.to_user_string() for spec in defs.resolve_all_asset_specs() if spec.group_name == "regime"
    }
    assert {one["asset_key"] for one in listed} == regime and len(regime) > 10


@pytest.fixture
def dagster_dev(nightly_run: NightlyRun, tmp_path: Path) -> Iterator[Interface]:
    """The command of the page on a free port, over a copy of the history of a nightly run."""
    night, port, log = nightly_run.copied(tmp_path / "copy"), free_port(), tmp_path / "log"
    command = shown("dagster dev")
    assert '"$PWD/dagster_home"' in command and "-p 3000" in command
    command = command.replace('"$PWD/dagster_home"', f"'{night.folder}/dagster_home'").replace(
        "-p 3000", f"-p {port}"
    )
    words = ["bash", "-c", "exec env " + command.replace(".venv/bin/", f"{BIN}/")]
    with served(start(words, dict(os.environ), log), port, night.data_dir, log) as interface:
        yield interface


def test_dagster_dev_has_the_name_the_history_and_the_schedule_of_make_ui(dagster_dev: Interface) -> None:
    state = dagster_dev.ask(STATE)
    assert state["workspaceOrError"]["locationEntries"] == [{"name": LOCATION, "loadStatus": "LOADED"}]
    assert state["runsOrError"]["results"] == [{"status": "SUCCESS", "jobName": "nightly"}]
    assert state["schedulesOrError"]["results"] == [
        {"name": "nightly_schedule", "scheduleState": {"status": "RUNNING"}}
    ]
    left = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True).stdout
    assert ".tmp_dagster_home" not in left and "dagster_home" not in left
