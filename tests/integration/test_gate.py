"""Whoever starts publishing, and with whatever left out: figures the rules do not pass are not published.

A blocked run shows why at the release and at the series, and nothing else as failed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import pytest

from assets.computed import COMPUTED_TABLES
from assets.publish import gate
from assets.publish.gate import not_evaluated
from assets.sources import registry as registry_of_sources
from assets.sources.sample import SampleSource
from assets.warehouse.schema import open_warehouse
from checks import factories
from pipelines.definitions import assets_of_profile, nightly_job
from pipelines.outcome import Result
from tests.faults.test_mutations import folder_of, rows
from tests.nightly_run import NightlyRun

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.usefixtures("one_cut")]

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


def file_of(data: Path) -> bytes:
    return (data / "published" / "regime.duckdb").read_bytes()


def run_job(
    instance: dg.DagsterInstance,
    keys: Sequence[dg.AssetKey] | None = None,
    again: dg.ReexecutionOptions | None = None,
) -> Result:
    """The nightly job, a selection of it, or its re-execution, as the UI launches one."""
    job = dg.reconstructable(nightly_job)
    if (
        again
    ):  # `execute_job` plans the checks of the whole job here, Dagster's interface those of the selection
        job = job.get_subset(asset_selection=frozenset(keys or ()))
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


def test_publish_alone_publishes_an_honest_warehouse_and_none_with_a_changed_month_end_or_without_a_source(
    data: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
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

    with open_warehouse(data / "sample.warehouse.duckdb") as con:
        con.execute(_WRONG)
    before = file_of(data)
    result = run_job(instance, [PUBLISH])
    assert not result.success and not was_published(result) and file_of(data) == before
    assert "publication blocked by" in failures(result)
    shown = gate_of(result)
    assert not shown.passed
    assert re.match(r"\w+/\w+ failed \w+: .* \d+ of \d+ rows failed", shown.description or "")
    records = shown.metadata["offending_rules"].value.records
    assert "published_row__unchanged" in {record.data["rule"] for record in records}

    monkeypatch.setattr("assets.publish.release.reached_something", lambda *_: False)
    result = run_job(instance, [PUBLISH])
    assert not was_published(result) and file_of(data) == before
    assert not gate_of(result).passed and gate_of(result).description == gate.NOTHING_REACHED


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
