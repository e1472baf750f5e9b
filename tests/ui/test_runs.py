"""Runs as an operator follows them in a browser: a blocked one, its cause, and the next publication.

The interface loads a copy of the project in which one figure of the sample is wrong.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from assets.warehouse.published_file import published_release
from tests.interface import Interface
from tests.nightly_run import ROOT
from tests.ui.conftest import UNRATE, keep, negative

# the runs of the fixtures are not part of it: the first test alone would have to wait for them
pytestmark = [pytest.mark.ui, pytest.mark.timeout(600, func_only=True)]

_CHECKS = """
{ assetNodes { assetKey { path } assetChecksOrError { ... on AssetChecks { checks {
  name executionForLatestMaterialization { status evaluation { severity } }
} } } } }
"""
_RUNS = "{ runsOrError(limit: 1) { ... on Runs { results { runId status } } } }"
_LAUNCH = """
mutation ($selector: JobOrPipelineSelector!) {
  launchRun(executionParams: {selector: $selector, runConfigData: {}}) { __typename }
}
"""
_NIGHTLY = {
    "repositoryLocationName": "stimulus_regime", "repositoryName": "__repository__", "jobName": "nightly",
}  # fmt: skip


def newest_run(interface: Interface) -> tuple[str, str]:
    """Its id and status."""
    (run,) = interface.ask(_RUNS)["runsOrError"]["results"]
    return run["runId"], run["status"]


def next_run(interface: Interface, before: str) -> str:
    """The status in which the run after `before` ends."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        run, status = newest_run(interface)
        if run != before and status in ("SUCCESS", "FAILURE", "CANCELED"):
            return status
        time.sleep(1)
    raise AssertionError("no run has ended")


def published_in(interface: Interface) -> Path:
    return interface.data_dir / "published" / "regime.duckdb"


def test_from_the_runs_page_to_the_cause_in_two_clicks(page: Page, interface: Interface, shots: Path) -> None:
    page.goto("/runs")
    run, _ = newest_run(interface)
    page.get_by_text(run[:8]).first.click()
    cause = "publication blocked by the gate: raw/fred/UNRATE failed fetch_status__not_refused: " + UNRATE
    expect(page.get_by_text(cause).first).to_be_visible()
    expect(page.get_by_text("Errored (2)")).to_be_visible()
    keep(page, shots / "blocked_run.png")
    page.get_by_role("link", name=re.compile("raw.*fred.*UNRATE")).first.click()
    expect(page.get_by_text("Unemployment Rate").first).to_be_visible()
    keep(page, shots / "blocked_series.png")


def test_a_blocked_run_shows_two_failed_checks_and_none_without_a_result(
    page: Page, interface: Interface, shots: Path
) -> None:
    page.goto("/assets/publish/release?view=checks&checkDetail=gate")
    expect(
        page.get_by_text(re.compile("^raw/fred/UNRATE failed fetch_status__not_refused")).first
    ).to_be_visible()
    keep(page, shots / "blocked_gate.png")
    failed, without = set(), set()
    for node in interface.ask(_CHECKS)["assetNodes"]:
        for check in node["assetChecksOrError"].get("checks", []):
            found, name = (
                check["executionForLatestMaterialization"],
                f"{node['assetKey']['path'][-1]} {check['name']}",
            )
            if found is None or found["evaluation"] is None:
                without |= {name} if found else set()
            elif found["status"] == "FAILED" and found["evaluation"]["severity"] == "ERROR":
                failed.add(name)
    assert (failed, without) == ({"UNRATE validity", "release gate"}, set())


def test_the_selection_the_gate_names_publishes_once_the_figure_is_corrected(
    page: Page, interface: Interface, shots: Path, project: Path
) -> None:
    gate = "/assets/publish/release?view=checks&checkDetail=gate"
    page.goto(gate)
    text = page.get_by_text(re.compile("Once it is corrected, .* materialize")).first.inner_text()
    (selection,) = re.findall(r"materialize (.*?), or on a later day", text)
    shutil.copyfile(ROOT / UNRATE, project / UNRATE)
    published = published_in(interface)
    before, release = newest_run(interface)[0], published_release(published)
    page.goto(f"/asset-groups~{quote(selection, safe='')}")
    page.get_by_role("button", name=re.compile("Materialize")).first.click()
    confirm = page.get_by_role(
        "button", name="Confirm"
    )  # asked where an upstream series was never materialized
    expect(confirm.or_(page.get_by_text("Launched run")).first).to_be_visible()
    keep(page, shots / "materialize_selection.png")
    if confirm.is_visible():
        confirm.click()
    assert next_run(interface, before) == "SUCCESS"
    assert published_release(published) != release
    page.goto(gate)
    expect(
        page.get_by_text(re.compile(r"^\d+ critical rules passed on the staged file")).first
    ).to_be_visible()


def test_from_failure_publishes_once_the_figure_is_corrected(
    page: Page, interface: Interface, shots: Path, project: Path
) -> None:
    negative(project)
    before = newest_run(interface)[0]
    interface.ask(_LAUNCH, selector=_NIGHTLY)
    assert next_run(interface, before) == "FAILURE"
    shutil.copyfile(ROOT / UNRATE, project / UNRATE)
    blocked, release = newest_run(interface)[0], published_release(published := published_in(interface))
    page.goto(f"/runs/{blocked}")
    again = page.get_by_role("button", name="Re-execute all")
    expect(again).to_be_enabled()
    again.locator("xpath=following::button[1]").click()
    choice = page.get_by_text("From failure", exact=True)
    expect(choice).to_be_visible()
    keep(page, shots / "from_failure.png")
    choice.click()
    assert next_run(interface, blocked) == "SUCCESS"
    assert published_release(published) != release
