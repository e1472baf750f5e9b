"""What an operator sees in the Dagster interface, in a real browser, on the sample."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from pipelines.definitions import defs
from tests.interface import Interface
from tests.nightly_run import ROOT
from tests.ui.conftest import keep

pytestmark = [pytest.mark.ui, pytest.mark.timeout(600)]

_SCHEDULE = """
query ($selector: ScheduleSelector!) {
  scheduleOrError(scheduleSelector: $selector) {
    ... on Schedule {
      cronSchedule executionTimezone scheduleState { status } futureTicks(limit: 1) { results { timestamp } }
    }
  }
}
"""
OPERATORS_PAGE = ROOT / "docs" / "ui.md"
_LOCATION = {"repositoryLocationName": "stimulus_regime", "repositoryName": "__repository__"}


def test_raw_series_shows_its_metadata(page: Page, shots: Path) -> None:
    page.goto("/assets/raw/fred/DGS10")
    expect(page.get_by_text("Market Yield on U.S. Treasury Securities").first).to_be_visible()
    expect(page.get_by_text("raw.observations").first).to_be_visible()
    expect(page.get_by_text("unit: Percent")).to_be_visible()
    expect(page.get_by_text("last_observation", exact=True)).to_be_visible()
    expect(page.get_by_text("2026-09-29", exact=True)).to_be_visible()
    expect(page.get_by_text("Freshness policy").first).to_be_visible()
    expect(page.get_by_role("link", name="https://fred.stlouisfed.org/series/DGS10")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("assets.py in editor"))).to_be_visible()
    entry = page.get_by_role("link", name=re.compile("catalogue entry in editor"))
    assert re.search(r"catalog/series/\w+\.toml:\d+", unquote(entry.get_attribute("href") or ""))
    keep(page, shots / "raw_series.png")


def test_check_is_a_sentence_with_its_rules(page: Page, shots: Path) -> None:
    page.goto("/assets/regime/regime?view=checks&checkDetail=structure")
    expect(page.get_by_text(re.compile(r"^\d+ rules passed on 501 rows")).first).to_be_visible()
    page.get_by_text("[Show Markdown]").first.click()
    expect(page.get_by_text(re.compile("as_of_date__|__in_range|__step")).first).to_be_visible()
    keep(page, shots / "check.png")


def test_release_shows_verdict_and_pictures(page: Page, shots: Path) -> None:
    page.goto("/assets/publish/release")
    expect(page.get_by_text("neutral_bubble").first).to_be_visible()
    expect(page.get_by_text("first release of this profile")).to_be_visible()
    keep(page, shots / "release.png")
    page.get_by_text("[Show Markdown]").first.click()
    picture = page.get_by_alt_text(re.compile("Valuation .orange., economy"))
    expect(picture).to_be_visible()
    page.wait_for_function("() => [...document.images].every(i => i.complete && i.naturalWidth > 400)")
    keep(page, shots / "release_picture.png")


BOOKMARKS = re.findall(
    r"\[`([^`]+)`\]\(http://127\.0\.0\.1:3000(/[^)]+)\)", OPERATORS_PAGE.read_text("utf-8")
)


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")  # Dagster's own parser uses a parameter in beta
@pytest.mark.parametrize(("selection", "address"), BOOKMARKS)
def test_a_bookmarked_selection_shows_its_assets_alone(
    page: Page, shots: Path, selection: str, address: str
) -> None:
    graph = defs.resolve_asset_graph()
    selected = dg.AssetSelection.from_string(selection).resolve(graph)
    assert 0 < len(selected) < len(graph.executable_asset_keys)
    page.goto(address)
    if address.startswith("/assets?"):  # the catalogue: a row for each
        others = graph.executable_asset_keys - selected
        shown = [name_of(key) for key in sorted(selected)[:5]]
        hidden = [name_of(key) for key in sorted(others)[:5]]
    else:  # the lineage: the groups of the selection, to be opened
        groups = {name: set(graph.asset_keys_for_group(name)) for name in graph.all_group_names}
        shown = sorted(name for name, keys in groups.items() if keys & selected)
        hidden = sorted(name for name in groups if name not in shown)
    for name in shown:
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    for name in hidden:
        expect(page.get_by_text(name, exact=True)).to_have_count(0)
    keep(page, shots / f"selection-{BOOKMARKS.index((selection, address))}.png")


def name_of(key: dg.AssetKey) -> str:
    return " / ".join(key.path)


def test_schedule_is_running(page: Page, interface: Interface, shots: Path) -> None:
    page.goto("/automation")
    expect(page.get_by_text("nightly_schedule", exact=True)).to_be_visible()
    expect(page.get_by_text("Monday through Friday")).to_be_visible()
    for sensor in ("alerts", "tidy_history"):
        expect(page.get_by_text(sensor, exact=True)).to_be_visible()
    keep(page, shots / "automation.png")
    selector = {**_LOCATION, "scheduleName": "nightly_schedule"}
    schedule = interface.ask(_SCHEDULE, selector=selector)["scheduleOrError"]
    assert schedule["scheduleState"]["status"] == "RUNNING"
    assert (schedule["cronSchedule"], schedule["executionTimezone"]) == ("30 21 * * 1-5", "America/New_York")
    assert schedule["futureTicks"]["results"]
