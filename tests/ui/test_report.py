"""report.html in a real browser: no request, no error, no serious accessibility fault, nothing cut off, printable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from docs._generate.picture import LARGEST_PICTURE, take
from tests.nightly_run import NightlyRun
from tests.ui import conftest

pytestmark = [pytest.mark.ui, pytest.mark.timeout(300)]  # the first test that needs it makes the nightly run
_MOST_PAGES = 9
_LOWEST_HEADING = 31 + 40  # points: the margin of the sheet, and a few lines
# Pairs of texts in one chart whose boxes overlap by more than a pixel each way.
_COVERED = """
() => [...document.querySelectorAll('figure svg[role=img]')].filter(s => s.getBoundingClientRect().width).flatMap(s => {
  const texts = [...s.querySelectorAll('text')].filter(t => t.textContent.trim() && !t.hasAttribute('stroke'))
    .map(t => ({text: t.textContent, box: t.getBoundingClientRect()}));
  return texts.flatMap((a, i) => texts.slice(i + 1).filter(b => a.text !== b.text
    && Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 1
    && Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 4).map(b => `${a.text} | ${b.text}`));
})
"""
_CHARTS = "[...document.querySelectorAll('figure svg[role=img]')].filter(e => e.getBoundingClientRect().width).length"
_PLACE = re.compile(rb"/Dest \[(\d+) 0 R /XYZ [\d.]+ ([\d.]+)")


@pytest.fixture(scope="session")
def report(nightly_run: NightlyRun) -> Path:
    """The page that the nightly run published."""
    return nightly_run.published.with_name("report.html")


@contextmanager
def opened(browser: Browser, report: Path, width: int, **options: Any) -> Iterator[Page]:
    """The report at a width; it may request nothing."""
    with conftest.opened(browser, ("file:",), width, 844, **options) as page:
        page.goto(report.as_uri())
        yield page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_request_no_error_no_serious_fault(
    browser: Browser, report: Path, shots: Path, width: int, scheme: str
) -> None:
    with opened(browser, report, width, color_scheme=scheme) as page:
        page.screenshot(path=shots / f"report_{width}_{scheme}.png", full_page=True)
        faults = Axe().run(page).response["violations"]
    assert [f"{f['id']}: {f['help']}" for f in faults if f["impact"] in ("serious", "critical")] == []


def test_nothing_runs_out_of_the_page_and_no_text_of_a_chart_covers_another(
    browser: Browser, report: Path
) -> None:
    for width in (360, 390, 720, 1280):
        with opened(browser, report, width) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(_CHARTS) == 15  # each chart in one drawing
            assert page.evaluate(_COVERED) == [], width


def test_complete_without_scripts_and_begins_with_the_timeline_on_a_phone(
    browser: Browser, report: Path
) -> None:
    with opened(browser, report, 390, java_script_enabled=False) as page:
        assert page.locator("h2").count() == 20
        assert page.locator("figure svg[role=img]").count() == 18
        box = page.locator("#timeline").bounding_box()
    assert box is not None and box["y"] < 844


def test_values_appear_under_a_pointer_and_the_arrow_keys(
    browser: Browser, report: Path, shots: Path
) -> None:
    for width in (390, 1280):
        with opened(browser, report, width, has_touch=width == 390) as page:
            figure = page.locator("#timeline")
            figure.scroll_into_view_if_needed()
            figure.focus()
            page.keyboard.press("End")
            assert figure.locator("output").inner_text() == (
                "30 Sep 2026: Bubble score 0.78; neutral policy in a bubble"
            )
            page.keyboard.press("Home")
            assert figure.locator("output").inner_text().startswith("31 Jan 1995: Bubble score 0.71")
            drawing = figure.locator("svg[role=img]").locator("visible=true")
            box = drawing.bounding_box()
            assert box is not None
            middle = {"x": box["width"] / 2, "y": box["height"] / 3}
            drawing.tap(position=middle) if width == 390 else drawing.hover(position=middle)
            assert 2009 <= int(figure.locator("output").inner_text().split()[2].strip(":")) <= 2014
            page.screenshot(path=shots / f"report_pointing_{width}.png")


def test_prints_on_few_pages_and_no_heading_ends_a_column(
    browser: Browser, report: Path, shots: Path
) -> None:
    """Every heading has at least some lines of what it names below it, in its own column of its own page."""
    with opened(browser, report, 1280, color_scheme="dark") as page:
        headings = page.locator("h2").count() + page.locator("figure h3").count()
        options = {"prefer_css_page_size": True, "print_background": True, "outline": True, "tagged": True}
        printed = page.pdf(path=shots / "report.pdf", **options)
    pages = {int(found) for found in re.findall(rb"(\d+) 0 obj\s*<<\s*/Type\s*/Page[^s]", printed)}
    places = [(int(on), float(height)) for on, height in _PLACE.findall(printed)]
    assert 1 < len(pages) <= _MOST_PAGES
    assert len(places) >= headings and {on for on, _ in places} <= pages
    assert [place for place in places if place[1] < _LOWEST_HEADING] == []


def test_the_picture_of_the_first_screen_is_small(browser: Browser, report: Path, tmp_path: Path) -> None:
    picture = take(browser, report, tmp_path / "report.png")
    assert 20_000 < picture.stat().st_size <= LARGEST_PICTURE
