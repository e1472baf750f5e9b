"""The project as Dagster sees it: assets, run config, its own commands, and a configuration it left behind."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
import yaml

from assets.catalog.loader import load_catalog
from assets.plots import MAX_BYTES, conditions_plot, score_plot
from pipelines.commands.doctor import dagster_home
from pipelines.definitions import defs, nightly_schedule
from pipelines.instance import open_instance, outdated_configuration
from pipelines.outcome import innermost
from pipelines.settings import ConfigurationError
from tests.interface import Interface, free_port, served, start
from tests.nightly_run import ROOT, NightlyRun, new_installation

BIN = Path(sys.executable).parent
PAGE = (ROOT / "docs" / "ui.md").read_text("utf-8")
SPECS = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
TABLES = [name for name in sorted(SPECS) if name.split("/")[0] in ("derived", "regime")]
RAW = [name for name in SPECS if name.startswith("raw/")]
CONDITIONS = ("valuation", "economy", "credit", "inflation")


def test_every_asset_has_group_owner_kinds_tags_and_sentences() -> None:
    incomplete = {
        name
        for name, spec in SPECS.items()
        if not (spec.owners and spec.kinds and "layer" in spec.tags and spec.group_name)
        or not re.fullmatch(r"\S.{15,}[^.]\.", spec.description or "", flags=re.S)
        or ".." in (spec.description or "")
    }
    assert incomplete == set()


def test_a_scheduled_run_fetches_the_series_of_its_profile_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGIME_PROFILE", "sample")
    with dg.DagsterInstance.ephemeral() as instance:
        (request,) = nightly_schedule.evaluate_tick(dg.build_schedule_context(instance=instance)).run_requests
    selected = {key.to_user_string() for key in request.asset_selection or []}
    of_profile = {"/".join(series.asset_key) for series in load_catalog().in_profile("sample")}
    assert selected == set(SPECS) - (set(RAW) - of_profile) and len(of_profile) < len(RAW)


def test_series_and_tables_link_to_their_entry_of_the_catalogue() -> None:
    for name in [*TABLES, *RAW]:
        entry, _ = SPECS[name].metadata["dagster/code_references"].code_references
        lines = Path(entry.file_path).read_text("utf-8").splitlines()
        declared = f"[{name.split('/')[-1]}]" if name in RAW else 'layer = "'
        assert any(line.startswith(declared) for line in lines[entry.line_number - 1 :][:4]), name


def months(count: int, score: float | None) -> pd.DataFrame:
    dates = pd.date_range("1995-01-31", periods=count, freq="ME")
    frame = pd.DataFrame({"as_of_date": dates, "bubble_score": score, "condition_state": "bubble"})
    return frame.assign(**{f"{name}_score": [n % 10 / 10 for n in range(count)] for name in CONDITIONS})


def test_pictures_are_small_enough_for_the_history() -> None:
    regime = months(497, 0.6).assign(
        bubble_score=[(n * 37 % 97) / 97 for n in range(497)]
    )  # as jagged as it gets
    for picture in (score_plot(regime, load_catalog().method), conditions_plot(regime)):
        encoded = picture.value.partition("(data:image/png;base64,")[2].removesuffix(")")
        png = base64.b64decode(encoded)
        assert png.startswith(b"\x89PNG") and len(png) <= MAX_BYTES


def test_a_picture_that_cannot_be_drawn_never_stops_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    import vl_convert

    def fails(*_: object, **__: object) -> bytes:
        raise ValueError("no font")

    monkeypatch.setattr(vl_convert, "vegalite_to_png", fails)
    assert "not drawn: ValueError" in score_plot(months(12, 0.5), load_catalog().method).value
    assert "no score yet" in score_plot(months(12, None), load_catalog().method).value


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def run_of_a_series(instance: dg.DagsterInstance, **config: str) -> dg.ExecuteInProcessResult:
    given: dict[str, Any] = {"resources": {"settings": {"config": config}}} if config else {}
    return defs.resolve_job_def("nightly").execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(["raw", "fred", "UNRATE"])],
        run_config=given,
        raise_on_error=False,
    )


def test_a_historical_run_uses_the_date_and_the_directory_of_its_config(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path / "of the environment"))
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    config = yaml.safe_load(shown)["resources"]["settings"]["config"]
    assert (config["profile"], config["as_of"]) == ("sample", "2008-09-15")
    done = run_of_a_series(instance, **config | {"data_dir": str(tmp_path / "history")})
    assert done.success
    assert not (tmp_path / "of the environment").exists()
    assert (tmp_path / "history" / "sample.warehouse.duckdb").is_file()
    tags = done.dagster_run.tags | instance.get_runs()[0].tags
    assert {key: tags[f"stimulus_regime/{key}"] for key in ("profile", "as_of", "data_dir")} == {
        "profile": "sample", "as_of": "2008-09-15", "data_dir": str(tmp_path / "history"),
    }  # fmt: skip


def test_wrong_config_fails_with_one_clear_line_and_makes_nothing(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path / "data"))
    for name, value, message in (
        ("as_of", "2008-09-15", "as_of 2008-09-15 in the run config needs a data_dir next to it"),
        ("profile", "test", "REGIME_PROFILE is 'test': give sample, public or live"),
    ):
        done = run_of_a_series(instance, **{name: value})
        (failed,) = done.filter_events(lambda event: event.is_run_failure)
        error: Any = failed.event_specific_data
        assert not done.success and message in innermost(error.error).text
        assert not (tmp_path / "data").exists()


OLD_ENTRY = "\nevent_log_storage:\n  module: pipelines.event_log\n  class: OpenSqliteEventLog\n"


def test_an_old_configuration_is_one_line_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = new_installation(tmp_path).folder / "dagster_home"
    own = (home / "dagster.yaml").read_text("utf-8")
    other = "event_log_storage: {module: dagster_postgres, class: PostgresEventLogStorage}"
    for text in (own, other, "#" + OLD_ENTRY.replace("\n", "\n#")):
        (home / "dagster.yaml").write_text(text, "utf-8")
        assert outdated_configuration(home) is None
    (home / "dagster.yaml").write_text(own + OLD_ENTRY, "utf-8")
    with pytest.raises(ConfigurationError) as refused, open_instance(home):
        pass
    (found,) = dagster_home(home)
    assert (found.level, found.text) == ("FAIL", str(refused.value))
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("PORT", "0")
    done = subprocess.run(["deploy/ui.sh"], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (2, f"ui: {found.text}\n")
    assert f"{home}/dagster.yaml names pipelines.event_log, which no longer exists: delete" in found.text
    assert "copy dagster_home/dagster.yaml there" in found.text and not (home / "history").exists()


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


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_dg_loads_every_definition_without_complaint_and_lists_the_assets_of_a_group(tmp_path: Path) -> None:
    done = run(shown("dg check defs"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "All definitions loaded successfully." in done.stdout + done.stderr
    assert "does not match the virtual environment" not in done.stdout + done.stderr
    listed = json.loads(run(shown("dg list defs") + " --json", tmp_path).stdout)["assets"]
    regime = {name for name, spec in SPECS.items() if spec.group_name == "regime"}
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


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_dagster_dev_has_the_name_the_history_and_the_schedule_of_make_ui(dagster_dev: Interface) -> None:
    state = dagster_dev.ask(STATE)
    assert state["workspaceOrError"]["locationEntries"] == [{"name": LOCATION, "loadStatus": "LOADED"}]
    assert state["runsOrError"]["results"] == [{"status": "SUCCESS", "jobName": "nightly"}]
    assert state["schedulesOrError"]["results"] == [
        {"name": "nightly_schedule", "scheduleState": {"status": "RUNNING"}}
    ]
    left = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True).stdout
    assert ".tmp_dagster_home" not in left and "dagster_home" not in left
