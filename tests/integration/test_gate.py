"""Whoever starts publishing, and with whatever left out: figures the rules do not pass are not published.

A blocked run shows why at the release and at the series, and nothing else as failed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from assets.compute import registry
from assets.computed import COMPUTED_TABLES
from assets.publish import gate
from assets.publish.gate import not_evaluated
from assets.sources import registry as registry_of_sources
from assets.sources.sample import SampleSource
from assets.warehouse.lock import RunLock
from assets.warehouse.schema import open_warehouse
from checks import factories
from pipelines.definitions import assets_of_profile, nightly_job
from pipelines.outcome import Result
from tests.faults.test_mutations import folder_of, rows
from tests.nightly_run import NightlyRun

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.usefixtures("one_cut")]

ROOT = Path(__file__).resolve().parents[2]
PUBLISH, REGIME = dg.AssetKey(["publish", "release"]), dg.AssetKey(["regime", "regime"])
(REGIME_TABLES,) = (asset for asset in COMPUTED_TABLES if REGIME in asset.keys)
_WRONG = "UPDATE regime.regime SET bubble_score = bubble_score + 0.2 WHERE as_of_date = DATE '2008-11-30'"
_RECORD = """
SELECT (SELECT count(*) FROM regime.regime_nightly), (SELECT count(*) FROM ops.publications),
  (SELECT count(*) FROM ops.published_rows), (SELECT count(*) FROM ops.live_rows)
"""


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def data(nightly_run: NightlyRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the data directory after one nightly run."""
    shutil.copytree(nightly_run.data_dir, tmp_path / "data")
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def wrong(data: Path) -> Path:
    """The warehouse with a month-end that differs from what was published."""
    with open_warehouse(data / "sample.warehouse.duckdb") as con:
        con.execute(_WRONG)
    return data


def spoiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The regime is computed wrongly from now on."""
    honest = registry.regime_frame

    def frame(*arguments: object) -> pd.DataFrame:
        computed = honest(*arguments)
        computed["bubble_score"] = computed["bubble_score"] + 2.0
        return computed

    monkeypatch.setattr(registry, "regime_frame", frame)


def file_of(data: Path) -> bytes:
    return (data / "published" / "regime.duckdb").read_bytes()


def run_job(
    instance: dg.DagsterInstance,
    keys: Sequence[dg.AssetKey] | None = None,
    again: dg.ReexecutionOptions | None = None,
) -> Result:
    """The nightly job, a selection of it, or its re-execution, as the UI launches one."""
    job, selected = dg.reconstructable(nightly_job), frozenset(keys) if keys else None
    if (
        again
    ):  # Dagster's `execute_job` plans the checks of the whole job here, its interface those of the selection
        job = job.get_subset(asset_selection=selected)
    return dg.execute_job(job, instance, asset_selection=keys, reexecution_options=again)


def was_published(result: Result) -> bool:
    return any(event.asset_key == PUBLISH for event in result.get_asset_materialization_events())


def failures(result: Result) -> str:
    """Messages of the failed steps."""
    texts = []
    for event in result.filter_events(lambda e: e.is_step_failure):
        error = event.step_failure_data.error
        while error is not None:
            texts.append(error.message)
            error = error.cause
    return " ".join(texts)


def gate_of(result: Result) -> dg.AssetCheckEvaluation:
    """What the Checks tab of the release shows of a run."""
    (found,) = [e for e in result.get_asset_check_evaluations() if e.asset_key == PUBLISH]
    return found


def errors(result: Result) -> list[dg.AssetCheckEvaluation]:
    """Checks that failed and do not only warn."""
    found = result.get_asset_check_evaluations()
    return [e for e in found if not e.passed and e.severity == dg.AssetCheckSeverity.ERROR]


def test_an_honest_warehouse_is_published_by_publish_alone(data: Path, instance: dg.DagsterInstance) -> None:
    """The gate blocks what is wrong, and only that: the tests below would pass by blocking everything."""
    before = file_of(data)
    with open_warehouse(data / "sample.warehouse.duckdb") as con:
        warned = con.execute(
            "SELECT 1 FROM ops.check_results WHERE severity = 'WARN' AND NOT passed"
        ).fetchall()
    assert warned, "a warning blocks nothing: the sample has stale series"
    result = run_job(instance, [PUBLISH])
    assert was_published(result)
    assert file_of(data) != before
    shown = gate_of(result)
    assert shown.passed and " critical rules passed on the staged file: " in (shown.description or "")
    assert len(shown.metadata["audits"].value.records) >= 5


def test_publish_launched_alone_from_the_interface(wrong: Path, instance: dg.DagsterInstance) -> None:
    before = file_of(wrong)
    result = run_job(instance, [PUBLISH])
    assert not result.success and not was_published(result)
    assert "publication blocked by" in failures(result)
    assert file_of(wrong) == before
    shown = gate_of(result)
    assert not shown.passed and re.match(
        r"\w+/\w+ failed \w+: .* \d+ of \d+ rows failed", shown.description or ""
    )
    records = shown.metadata["offending_rules"].value.records
    assert "published_row__unchanged" in {record.data["rule"] for record in records}


def test_a_failed_check_of_a_table(
    data: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoiled(monkeypatch)
    before = file_of(data)
    result = run_job(instance, [*REGIME_TABLES.keys, PUBLISH])
    assert not result.success and not was_published(result)
    assert REGIME in {e.asset_key for e in errors(result)} and not gate_of(result).passed
    assert file_of(data) == before


def test_a_check_that_was_not_evaluated(
    data: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures are right; nobody can know it, since a check of the run broke down."""

    def broken(*_: object) -> None:
        raise RuntimeError("the check broke down")

    monkeypatch.setattr(factories, "run_suites", broken)
    before = file_of(data)
    result = run_job(instance, [*REGIME_TABLES.keys, PUBLISH])
    assert not was_published(result) and file_of(data) == before
    description = gate_of(result).description or ""
    assert re.match(r"regime/\w+ failed \w+: not evaluated: its step failed", description), description


def test_one_bad_figure_is_shown_at_its_series_and_at_the_release_alone_and_heals(
    data: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Everything else is computed and checked in the warehouse. Re-execution from failure publishes what is mended."""
    spoil = rows("UNRATE", lambda lines: [*lines[:-1], (lines[-1][0], "-4.3")])
    spoil(folder_of(tmp_path))
    before = file_of(data)
    with open_warehouse(data / "sample.warehouse.duckdb") as con:
        record = con.execute(_RECORD).fetchall()
    with monkeypatch.context() as patch:
        patch.setattr(registry_of_sources, "SampleSource", lambda _: SampleSource(tmp_path))
        result = run_job(instance, assets_of_profile("sample"))
    assert result.dagster_run.is_failure and not was_published(result) and file_of(data) == before
    unrate = dg.AssetKey(["raw", "fred", "UNRATE"])
    assert {(e.asset_key, e.check_name) for e in errors(result)} == {(unrate, "validity"), (PUBLISH, "gate")}
    assert not_evaluated(instance, result.run_id) == [], "Dagster shows those as failed, without a word"
    failed = {event.step_key for event in result.filter_events(lambda e: e.is_step_failure)}
    assert failed == {"raw_fred", PUBLISH.to_python_identifier()}
    message, failure = gate_of(result).description or "", failures(result)
    for named in ("raw/fred/UNRATE", "fetch_status__not_refused", "-4.3 on 2026-08-01 is outside"):
        assert named in message and named in failure
    with open_warehouse(data / "sample.warehouse.duckdb") as con:
        assert con.execute("SELECT count(*) FROM raw.vintages WHERE value = -4.3").fetchall() == [(0,)]
        assert con.execute(_RECORD).fetchall() == record, "a blocked run has no place in the record"

    assert 're-execute the run from failure or materialize key:"raw/fred/UNRATE"+' in message
    from_failure = dg.ReexecutionOptions.from_failure(result.run_id, instance)
    healed = run_job(instance, assets_of_profile("sample"), from_failure)
    fetched = {
        e.asset_key.path[1]
        for e in healed.get_asset_materialization_events()
        if e.asset_key and e.asset_key.path[0] == "raw"
    }
    assert fetched == {"fred"}, "of the other publishers nothing was wrong"
    assert was_published(healed) and errors(healed) == []
    assert file_of(data) != before


def test_a_check_that_breaks_down(
    data: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the check broke down")

    monkeypatch.setattr(gate, "run_suites", broken)
    before = file_of(data)
    result = run_job(instance, [PUBLISH])
    assert not was_published(result) and "broke down" in failures(result)
    assert file_of(data) == before


def test_a_run_that_reached_no_source_says_so_at_the_release(
    data: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.publish.release.reached_something", lambda *_: False)
    before = file_of(data)
    result = run_job(instance, [PUBLISH])
    assert not was_published(result) and file_of(data) == before
    assert not gate_of(result).passed and gate_of(result).description == gate.NOTHING_REACHED


def test_two_runs_at_once(data: Path, tmp_path: Path) -> None:
    """The second one names who has the lock, exits with 2, and changes nothing."""
    before = file_of(data)
    with RunLock(data / "run.lock").held():
        second = subprocess.run(
            [sys.executable, "-m", "pipelines", "run"], cwd=ROOT, env={**os.environ, "DAGSTER_HOME": str(tmp_path)},
            capture_output=True, text=True,
        )  # fmt: skip
    assert second.returncode == 2 and "Traceback" not in second.stderr
    last = second.stderr.strip().splitlines()[-1]
    assert last.startswith("error: another run holds the lock") and f"pid {os.getpid()}" in last
    assert file_of(data) == before
