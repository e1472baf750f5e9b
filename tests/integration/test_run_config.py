"""Profile, as-of date and data directory of a run come from its config, and the runs page shows them as tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from pipelines.definitions import defs
from pipelines.outcome import innermost

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ui.md"
SERIES = dg.AssetKey(["raw", "fred", "UNRATE"])


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def run(instance: dg.DagsterInstance, **config: str) -> dg.ExecuteInProcessResult:
    given: dict[str, Any] = {"resources": {"settings": {"config": config}}} if config else {}
    return defs.resolve_job_def("nightly").execute_in_process(
        instance=instance, asset_selection=[SERIES], run_config=given, raise_on_error=False
    )


def test_a_historical_run_uses_the_date_and_the_directory_of_its_config(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path / "of the environment"))
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
    config = yaml.safe_load(shown)["resources"]["settings"]["config"]
    assert (config["profile"], config["as_of"]) == ("sample", "2008-09-15")
    done = run(instance, **config | {"data_dir": str(tmp_path / "history")})
    assert done.success
    assert not (tmp_path / "of the environment").exists()
    assert (tmp_path / "history" / "sample.warehouse.duckdb").is_file()
    tags = done.dagster_run.tags | instance.get_runs()[0].tags
    assert {key: tags[f"stimulus_regime/{key}"] for key in ("profile", "as_of", "data_dir")} == {
        "profile": "sample", "as_of": "2008-09-15", "data_dir": str(tmp_path / "history"),
    }  # fmt: skip


def test_without_config_the_environment_decides(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("REGIME_AS_OF", "2020-03-15")
    assert run(instance).success
    assert instance.get_runs()[0].tags["stimulus_regime/as_of"] == "2020-03-15"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"as_of": "2008-09-15"}, "as_of 2008-09-15 in the run config needs a data_dir next to it"),
        ({"profile": "test"}, "REGIME_PROFILE is 'test': give sample, public or live"),
    ],
)
def test_wrong_config_fails_with_one_clear_line_and_makes_nothing(
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, str],
    message: str,
) -> None:
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path / "data"))
    done = run(instance, **{name: value.format(tmp_path / "data") for name, value in config.items()})
    assert not done.success
    errors = [
        innermost(event.event_specific_data.error).text
        for event in done.filter_events(lambda event: event.is_run_failure or event.is_step_failure)
        if getattr(event.event_specific_data, "error", None) is not None
    ]
    assert any(message in error for error in errors), errors
    assert not (tmp_path / "data").exists()
