"""The files of deploy/: checked by their own tools where those are installed, the Postgres history by a server."""

from __future__ import annotations

import datetime as dt
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

import dagster as dg
import pytest
import yaml

from pipelines.run_history import prune
from tests.postgres_server import Server

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE, POSTGRES = DEPLOY / "compose.yaml", DEPLOY / "dagster.postgres.yaml"
VARIABLES = re.compile(r"\$\{([A-Z_]+)")


def test_compose_needs_only_documented_variables_and_builds_existing_files() -> None:
    documented = set(re.findall(r"\b[A-Z_]+\b", (ROOT / ".env.example").read_text()))
    assert set(VARIABLES.findall(COMPOSE.read_text())) - documented == set()
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert set(services) == {"postgres", "prepare", "webserver", "scheduler", "watcher"}
    for name, service in services.items():
        assert service["volumes"] == ["state:/state"], name
        build = service.get("build")
        assert build is None or (DEPLOY / build["context"] / build["dockerfile"]).resolve().is_file()


def test_units_are_accepted_by_systemd(tmp_path: Path) -> None:
    """Their directory becomes this one, since systemd also checks that the programs exist."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd here")
    me = pwd.getpwuid(os.getuid()).pw_name
    units = sorted((DEPLOY / "systemd").iterdir())
    for unit in units:
        text = unit.read_text().replace("/opt/stimulus-regime", str(ROOT))
        (tmp_path / unit.name).write_text(re.sub("^User=.*", f"User={me}", text, flags=re.M))
    done = subprocess.run([analyze, "verify", *tmp_path.iterdir()], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    timers = {unit.stem for unit in units if unit.suffix == ".timer"}
    assert timers <= {unit.stem for unit in units if unit.suffix == ".service"}


def test_both_configurations_differ_in_their_storage_only() -> None:
    own = yaml.safe_load((ROOT / "dagster_home" / "dagster.yaml").read_text())
    shared = yaml.safe_load(POSTGRES.read_text())
    storage = {"storage"}
    assert {k: v for k, v in own.items() if k not in storage} == {
        k: v for k, v in shared.items() if k not in storage
    }


@dg.asset
def figures() -> None:
    """Nothing."""


@dg.asset_check(asset=figures)
def suite() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


def assert_pruned(instance: dg.DagsterInstance) -> str:
    """Of two runs 91 days ago the newest stays, with the results of its checks; the other goes, whose id it gives."""
    old, new = (dg.materialize([figures, suite], instance=instance).run_id for _ in range(2))
    key = dg.AssetCheckKey(figures.key, "suite")
    results = instance.event_log_storage.get_asset_check_execution_history
    assert [result.run_id for result in results(key, limit=5)] == [new, old]
    assert prune(instance, dt.datetime.now(dt.UTC)) == 0
    assert prune(instance, dt.datetime.now(dt.UTC) + dt.timedelta(days=91)) == 1
    assert [record.dagster_run.run_id for record in instance.get_run_records()] == [new]
    assert [result.run_id for result in results(key, limit=5)] == [new]
    return old


def test_own_history_is_pruned(tmp_path: Path) -> None:
    shutil.copyfile(ROOT / "dagster_home" / "dagster.yaml", tmp_path / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        gone = assert_pruned(instance)
        assert [path for path in tmp_path.rglob("*") if gone in str(path)] == []


def test_shared_history_stores_runs_and_is_pruned(
    postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in postgres.environment_in(tmp_path).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        assert "Postgres" in type(instance.event_log_storage).__name__
        assert_pruned(instance)
