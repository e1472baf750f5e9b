"""Dagster's own commands, as docs/ui.md shows them: they load this project, under one name and with one history."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.definitions import defs
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
def dagster_dev(nightly_run: NightlyRun, tmp_path: Path) -> Iterator[str]:
    """The command of the page on a free port, over a copy of the history of a nightly run."""
    from tests.ui.conftest import free_port

    home, port, log = (
        nightly_run.copied(tmp_path / "copy").folder / "dagster_home",
        free_port(),
        tmp_path / "log",
    )
    command = shown("dagster dev")
    assert '"$PWD/dagster_home"' in command and "-p 3000" in command
    command = command.replace('"$PWD/dagster_home"', f"'{home}'").replace("-p 3000", f"-p {port}")
    with log.open("w") as out:
        process = subprocess.Popen(
            ["bash", "-c", "exec env " + command.replace(".venv/bin/", f"{BIN}/")],
            cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 200
        while time.monotonic() < until:
            assert process.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{url}/server_info", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.5)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def ask(url: str, query: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{url}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    assert "errors" not in found, found
    return dict(found["data"])


def test_dagster_dev_has_the_name_the_history_and_the_schedule_of_make_ui(dagster_dev: str) -> None:
    state = ask(dagster_dev, STATE)
    assert state["workspaceOrError"]["locationEntries"] == [{"name": LOCATION, "loadStatus": "LOADED"}]
    assert state["runsOrError"]["results"] == [{"status": "SUCCESS", "jobName": "nightly"}]
    assert state["schedulesOrError"]["results"] == [
        {"name": "nightly_schedule", "scheduleState": {"status": "RUNNING"}}
    ]
    left = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True).stdout
    assert ".tmp_dagster_home" not in left and "dagster_home" not in left
