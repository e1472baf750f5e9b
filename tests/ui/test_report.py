"""report.html in a real browser: no request, no error, no serious accessibility fault, nothing cut off, printable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.nightly_run import NightlyRun
from tests.ui.report_picture import LARGEST_PICTURE, take

pytestmark = [pytest.mark.ui, pytest.mark.timeout(300)]  # the first test that needs it makes the nightly run
_MOST_PAGES = 8
_LOWEST_HEADING = 31 + 40  # points: the margin of the sheet, and a few lines
_PLACE = re.compile(rb"/Dest \[(\d+) 0 R /XYZ [\d.]+ ([\d.]+)")


@pytest.fixture(scope="session")
def report(nightly_run: NightlyRun) -> Path:
    """The page that the nightly run published."""
    return nightly_run.published.with_name("report.html")


def opened(
    browser: Browser, report: Path, width: int, scheme: str, scripts: bool = True
) -> tuple[Page, list[str]]:
    """The page at a width and in a theme, and what it asked for or complained of."""
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=scripts,
    )
    page, heard = context.new_page(), list[str]()
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else heard.append(r.url))
    page.on("console", lambda m: heard.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.goto(report.as_uri())
    return page, heard


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_request_no_error_no_serious_fault(
    browser: Browser, report: Path, shots: Path, width: int, scheme: str
) -> None:
    page, heard = opened(browser, report, width, scheme)
    page.screenshot(path=shots / f"report_{width}_{scheme}.png", full_page=True)
    faults = Axe().run(page).response["violations"]
    page.context.close()
    assert heard == []
    assert [
        f"{fault['id']}: {fault['help']}" for fault in faults if fault["impact"] in ("serious", "critical")
    ] == []


@pytest.mark.parametrize("width", [360, 390, 720, 1280])
def test_nothing_runs_out_of_the_page(browser: Browser, report: Path, width: int) -> None:
    page, _ = opened(browser, report, width, "light")
    widest = page.evaluate("document.documentElement.scrollWidth")
    shown = page.evaluate(
        "[...document.querySelectorAll('figure svg[role=img]')].filter(e => e.getBoundingClientRect().width).length"
    )
    page.context.close()
    assert widest <= width
    assert shown == 11  # each chart in one of its two widths


def test_complete_without_scripts(browser: Browser, report: Path) -> None:
    page, _ = opened(browser, report, 1280, "light", scripts=False)
    assert page.locator("h2").count() == 18
    assert page.locator("figure svg.wide").count() == 11
    page.context.close()


def test_the_timeline_begins_on_the_first_screen_of_a_phone(browser: Browser, report: Path) -> None:
    page, _ = opened(browser, report, 390, "light")
    box = page.locator("#timeline").bounding_box()
    page.context.close()
    assert box is not None and box["y"] < 844


def test_prints_on_few_pages_and_no_heading_ends_a_column(
    browser: Browser, report: Path, shots: Path
) -> None:
    """Every heading has at least some lines of what it names below it, in its own column of its own page."""
    page, _ = opened(browser, report, 1280, "dark")
    headings = page.locator("h2").count() + page.locator("figure h3").count()
    printed = page.pdf(
        path=shots / "report.pdf", prefer_css_page_size=True, print_background=True, outline=True, tagged=True
    )
    page.context.close()
    pages = re.findall(rb"/Kids \[((?:\d+ 0 R ?)+)\]", printed)[0].split(b" 0 R")
    places = [(int(on), float(height)) for on, height in _PLACE.findall(printed)]
    assert 1 < len(re.findall(rb"/Type\s*/Page[^s]", printed)) <= _MOST_PAGES
    assert len(places) >= headings and {on for on, _ in places} <= {int(on) for on in pages if on.strip()}
    assert [place for place in places if place[1] < _LOWEST_HEADING] == []


@pytest.mark.parametrize("deficiency", ["deuteranopia", "achromatopsia"])
def test_pictures_for_eyes_that_see_other_colours(
    browser: Browser, report: Path, shots: Path, deficiency: str
) -> None:
    """To be looked at; what a test can hold is that place alone tells the states of a lane apart."""
    page, _ = opened(browser, report, 1280, "light")
    page.context.new_cdp_session(page).send("Emulation.setEmulatedVisionDeficiency", {"type": deficiency})
    page.screenshot(path=shots / f"report_{deficiency}.png", full_page=True)
    tops = {
        color: page.evaluate(
            "c => [...document.querySelectorAll('#timeline svg.wide path')]"
            ".filter(e => e.getAttribute('fill') === `var(--${c})` && !e.hasAttribute('opacity')"
            " && !e.hasAttribute('fill-opacity')).map(e => Math.round(e.getBoundingClientRect().top))",
            color,
        )
        for color in ("hot", "cold", "stim", "tight")
    }
    page.context.close()
    assert all(tops.values()), "a lane without a block"
    assert len(set(tops["hot"])) == len(set(tops["cold"])) == 1
    assert tops["hot"][0] < tops["cold"][0] < min(tops["stim"]) < min(tops["tight"])


def test_the_picture_of_the_first_screen_is_small(browser: Browser, report: Path, tmp_path: Path) -> None:
    picture = take(browser, report, tmp_path / "report.png")
    assert 20_000 < picture.stat().st_size <= LARGEST_PICTURE
