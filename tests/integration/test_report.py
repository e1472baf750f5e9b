"""report.html of one night on the sample: complete, small, self-contained, and the same each time."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from assets.report.charts import gold, lines, timeline
from assets.report.figures import timeline_figure
from assets.report.multiples import MONEY, PANELS, panel_figure
from assets.report.page import render_report
from assets.report.reading import Release
from assets.warehouse.connection import CONFIG

# 22 drawings with every month-end in them take two thirds of it; it is to be sent by mail, and opened on a phone
LARGEST = 400_000
SECTIONS = (
    "timeline", "past", "evidence", "flip", "change", "money", "post", "premium", "fed", "gold", "destination",
    "gauge", "phases", "followed", "firm", "known", "caveats", "sources",
)  # fmt: skip
# What and unit, the window, whose figures, as-of and point in time, in this order; the series beside or at the end.
CAPTION = re.compile(r"^.+\. .+\. Sources: .+\. As known on \d+ \w+ \d{4}, [\w ]+ point in time\.", re.DOTALL)
SERIES = re.compile(r"\([A-Z][A-Z0-9_, ]+\)")


class Page(HTMLParser):
    """What a page is made of: elements with their attributes, and texts by the innermost element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "br", "line"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1], data.strip()))


@pytest.fixture(scope="module")
def html(report_html: str) -> str:
    return report_html


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_is_small_and_asks_for_nothing(html: str, page: Page) -> None:
    assert len(html.encode()) <= LARGEST
    asked = [
        value
        for _, attrs in page.elements
        for name, value in attrs.items()
        if name in {"src", "href", "srcset"}
    ]
    assert [value for value in asked if not str(value).startswith("#s-")] == ["data:,"]
    assert not re.search(r"url\((?!#)|@import|<script|https?://", html)


def test_every_element_is_closed_and_no_id_is_used_twice(page: Page) -> None:
    assert page.open == []
    ids = Counter(attrs["id"] for _, attrs in page.elements if "id" in attrs)
    assert [name for name, n in ids.items() if n > 1] == []
    named = {part for _, a in page.elements for part in (a.get("aria-labelledby") or "").split()}
    assert named - set(ids) == set()


def test_every_section_is_there_under_its_heading(page: Page) -> None:
    assert [a["id"] for tag, a in page.elements if tag == "h2"] == [f"s-{name}" for name in SECTIONS]
    assert [tag for tag, _ in page.elements if tag == "h1"] == ["h1"]


def test_nothing_missing_is_printed_as_a_value(page: Page) -> None:
    words = [text for tag, text in page.texts if tag not in {"style", "title", "desc"}]
    assert [text for text in words if re.search(r"\b(None|nan|NaN|NULL|NaT|inf)\b", text)] == []
    assert [text for text in words if "_" in text and not re.search(r"[A-Z]+_|__|/", text)] == []


def test_each_chart_comes_wide_and_narrow_with_name_and_description(html: str) -> None:
    pictures = re.findall(r'<svg class="(wide|narrow)" viewBox=.*?</svg>', html, re.DOTALL)
    assert Counter(pictures) == {"wide": 11, "narrow": 11}
    for picture in re.findall(r'<svg class="(?:wide|narrow)".*?</svg>', html, re.DOTALL):
        assert re.search(r'role="img" aria-labelledby="\S+-t \S+-d"><title id=[^>]+>[^<]+</title>', picture)
        assert len(re.findall(r"<desc id=[^>]+>[^<]{40,}</desc>", picture)) == 1
        assert not re.search(r'(?:fill|stroke)="(?!none|var\(--[a-z-]+\)|transparent)', picture)


def test_every_caption_says_what_whence_and_when(html: str) -> None:
    found = re.findall(r'<figcaption>(.*?)</figcaption>|<div class="cap">(.*?)</div>', html, re.DOTALL)
    captions = [re.sub(r"<[^>]+>", "", one or other) for one, other in found]
    assert len(captions) >= 20
    assert [text for text in captions if not CAPTION.search(text) or not SERIES.search(text)] == []


def test_contents_lead_to_every_section_after_them(page: Page) -> None:
    led = [a["href"] for tag, a in page.elements if tag == "a"]
    assert led == [f"#s-{name}" for name in SECTIONS[1:]]


def test_rows_of_a_table_have_as_many_cells_as_its_header(html: str) -> None:
    wrong = []
    for table in re.findall(r"<table.*?</table>", html, re.DOTALL):
        rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
        widths = [
            sum(
                int((re.search(r'colspan="(\d+)"', cell) or [1, 1])[1])
                for cell in re.findall(r"<t[hd]\b[^>]*>", row)
            )
            for row in rows
        ]
        if len(set(widths)) > 1:
            wrong.append((rows[0][:120], widths))
    assert wrong == []


def test_columns_of_past_easing_hold_the_condition_they_are_headed_with(
    html: str, made_release: Path
) -> None:
    table = re.findall(r'<table class="four">.*?</table>', html, re.DOTALL)[0]
    heads = re.findall(r'<th scope="col">(\w+)</th>', table)[1:5]
    last = re.findall(r"<b>([\d.]+)</b>", table.split('class="now"')[1])[:4]
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        columns = ", ".join(f"printf('%.2f', {name.lower()}_score)" for name in heads)
        row = con.execute(f"SELECT {columns} FROM qe_phases WHERE kind = 'today'").fetchall()[0]
    assert heads == ["Valuation", "Economy", "Inflation", "Credit"]
    assert tuple(last) == row


def test_the_same_release_gives_the_same_page(html: str, made_release: Path) -> None:
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        assert render_report(con) == html


def test_specifications_keep_to_their_schema(made_release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page leaves this check out, for its time."""
    from altair.utils import schemapi

    specs = []

    def keep(spec: dict[str, object], *_: object) -> str:
        specs.append(spec)
        return "<svg/>"

    monkeypatch.setattr("assets.report.figures.inline_svg", keep)
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        release = Release(con)
        timeline_figure(release)
        panel_figure(release, MONEY)
        panel_figure(release, PANELS[0])
    with schemapi.debug_mode(False):
        specs += [gold.gold_chart(4.45, 2.07, size) for size in gold.SIZES]
    assert len(specs) == 8
    for spec in specs:
        schemapi.validate_jsonschema(spec, {"$ref": "#/definitions/TopLevelSpec"}, rootschema=_root_schema())


def _root_schema() -> dict[str, object]:
    import altair

    return altair.load_schema()


def test_widths_fit_the_page(made_release: Path) -> None:
    """A drawing wider than its column would shrink its letters below 11 pixels."""
    for sizes, room in ((timeline.sizes(), 868), (lines.FULL, 868), (gold.SIZES, 868), (lines.PANEL, 419)):
        wide, narrow = sizes
        assert (wide.name, narrow.name) == ("wide", "narrow")
        assert room - 60 <= wide.width + 30 <= room + 30 and 290 <= narrow.width + 30 <= 330
