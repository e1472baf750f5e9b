"""A data directory and a Dagster history of the previous version work with the current code."""

from __future__ import annotations

import tarfile
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import yaml

from assets.publish.folder import damaged, releases
from assets.warehouse.connection import CONFIG
from tests.helpers import files_of
from tests.nightly_run import ROOT, NightlyRun

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ARCHIVE = ROOT / "tests" / "fixtures" / "previous_version.tar.xz"
RUN_DATES = ("1986-05-31", "1986-05-31")  # the last run finds no new data
RELEASE = dg.AssetKey(["publish", "release"])


@pytest.fixture
def previous(tmp_path: Path) -> NightlyRun:
    """What two runs of the previous version left behind."""
    with tarfile.open(ARCHIVE) as packed:
        packed.extractall(tmp_path, filter="tar")  # keeps the read-only bits and hard links of a release
    return NightlyRun(tmp_path)


def runs_of_releases(home: Path) -> list[str]:
    """The runs that Dagster's history names as those that published, newest first."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        return [one.run_id for one in instance.fetch_materializations(RELEASE, limit=20).records]


def statuses(home: Path) -> dict[str, str]:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        return {run.run_id: run.status.value for run in instance.get_runs()}


def published_at(published: Path) -> list[object]:
    with duckdb.connect(str(published), read_only=True, config=CONFIG) as con:
        return con.execute("SELECT published_at FROM regime_nightly ORDER BY 1").fetchall()


def use_dagsters_own_event_log(home: Path) -> None:
    """The fix that the refusal names: the entry out of dagster.yaml."""
    configuration = yaml.safe_load((home / "dagster.yaml").read_text("utf-8"))
    assert configuration.pop("event_log_storage")["module"] == "pipelines.event_log"
    (home / "dagster.yaml").write_text(yaml.safe_dump(configuration), "utf-8")


def test_two_runs_continue_on_what_the_previous_version_left(previous: NightlyRun) -> None:
    home = previous.folder / "dagster_home"
    use_dagsters_own_event_log(home)
    old_runs, old_releases = runs_of_releases(home), releases(previous.published)
    old_rows = published_at(previous.published)
    old_files = {folder: files_of(folder) for folder in old_releases}
    assert len(old_runs) == len(old_releases) == len(old_rows) == 2

    for run_date in RUN_DATES:
        done = previous.command("run", "--as-of", run_date)
        assert done.returncode == 0, done.stderr

    assert len(releases(previous.published)) == 4
    assert {folder: files_of(folder) for folder in old_releases} == old_files
    assert [damaged(folder) for folder in old_releases] == [[], []]
    assert published_at(previous.published)[:2] == old_rows and len(published_at(previous.published)) == 4
    verified = previous.command("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr

    runs = runs_of_releases(home)
    assert runs[-2:] == old_runs and len(runs) == 4
    assert statuses(home) == dict.fromkeys(runs, "SUCCESS")
