"""The static site over twelve releases: old pages keep their bytes, no link is broken, feed and calendar are valid."""

from __future__ import annotations

import datetime as dt
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from shutil import copyfile, copytree, rmtree
from urllib.parse import urldefrag
from xml.etree import ElementTree

import duckdb
import pytest

from assets.publish.documents.descriptors import regime_json
from assets.publish.documents.texts import document_facts
from assets.report.site import add_release, icalendar
from assets.warehouse.connection import CONFIG
from pipelines import __main__ as command_line
from tests.helpers import files_of
from tests.nightly_run import made_once

RELEASES, LATER = 12, 3
METHODOLOGY = Path(__file__).parents[2] / "docs" / "methodology.md"
ATOM = "{http://www.w3.org/2005/Atom}"


class Links(HTMLParser):
    """Targets and anchors of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.targets.append(value)
            if name == "id" and value is not None:
                self.anchors.add(value)


def publish(folder: Path, number: int) -> Path:
    """The release in the folder as another one, published a day later."""
    content = json.loads((folder / "first.json").read_text())
    when = dt.datetime(2026, 10, 1, 2, 30) + dt.timedelta(days=number)
    content["release"]["release_id"] = f"{when:%Y%m%dT%H%M%S}.000000Z"
    content["release"]["published_at"] = f"{when.isoformat()}Z"
    (folder / "regime.json").write_text(json.dumps(content))
    return folder / "regime.duckdb"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, made_release: Path, report_html: str) -> Path:
    """A folder with one release, `published`, and the site of twelve, `site`."""

    def make(place: Path) -> None:
        folder = place / "published"
        (folder / "csv").mkdir(parents=True)
        copyfile(made_release, folder / "regime.duckdb")
        (folder / "regime.duckdb").chmod(0o644)
        with duckdb.connect(
            str(folder / "regime.duckdb"), config=CONFIG
        ) as con:  # their charts take the time
            con.execute(
                "UPDATE pit.series SET is_published = false WHERE series_id NOT IN ('UNRATE', 'NFCI', 'DGS10')"
            )
        (folder / "report.html").write_text(report_html)
        with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
            (folder / "first.json").write_text(regime_json(con, document_facts(con, Path("."), (), None)))
            for table in set(re.findall(r'href="csv/(\w+)\.csv"', report_html)):
                con.execute(f"COPY {table} TO '{folder / 'csv' / table}.csv'")
        for number in range(RELEASES):
            assert add_release(publish(folder, number), place / "site", METHODOLOGY.read_text()).is_new

    return made_once(tmp_path_factory, "site", make)


@pytest.mark.timeout(300)
def test_old_pages_keep_their_bytes_and_a_second_time_adds_nothing(place: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    before = files_of(place / "site")
    copytree(place / "site", site)
    for number in range(RELEASES, RELEASES + LATER):
        added = add_release(publish(place / "published", number), site, METHODOLOGY.read_text())
    again = add_release(place / "published" / "regime.duckdb", site, METHODOLOGY.read_text())
    assert (added.releases, again.releases, again.is_new) == (RELEASES + LATER, RELEASES + LATER, False)
    after = files_of(site)
    old = {name: data for name, data in before.items() if name.startswith("releases/")}
    assert len(old) >= 3 * RELEASES and {name: after[name] for name in old} == old
    assert after["archive.html"].count(b"report.html") == RELEASES + LATER


def test_the_command_adds_the_published_release(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGIME_DATA_DIR", str(place))
    release = publish(place / "published", 0).parent / "regime.json"
    name = json.loads(release.read_text())["release"]["release_id"]
    for said in ("added", "is there already"):
        assert command_line.main(["site", str(tmp_path / "site")]) == 0
        assert capsys.readouterr().out.splitlines() == [
            f"{name} {said}; releases: 1",
            str(tmp_path / "site" / "index.html"),
        ]
    (tmp_path / "file").touch()
    assert command_line.main(["site", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'file'} was not completed: ")


def test_no_link_is_broken_and_nothing_is_loaded_from_elsewhere(place: Path) -> None:
    site = place / "site"
    pages = {path: Links(path.read_text()) for path in site.rglob("*.html")}
    assert len(pages) == RELEASES + 5 + 1 + 3
    broken = []
    for page, links in pages.items():
        for target in links.targets:
            if re.match(r"https?://|data:", target):
                continue
            name, anchor = urldefrag(target)
            to = (page.parent / name).resolve() if name else page
            if not to.is_file() or (anchor and anchor not in pages[to].anchors):
                broken.append((page.name, target))
    assert broken == []
    loaded = re.compile(r'<(?:script|img|iframe)[^>]+src=|<link[^>]+href="http|url\(http|@import')
    assert [page.name for page in pages if loaded.search(page.read_text())] == []


def test_the_feed_is_valid_atom(place: Path, tmp_path: Path) -> None:
    url = "https://example.org/regime"
    add_release(publish(place / "published", 0), tmp_path / "site", "# Method", url)
    feed = ElementTree.fromstring((tmp_path / "site" / "feed.xml").read_text())
    entries = feed.findall(f"{ATOM}entry")
    for element in (feed, *entries):
        assert all(element.find(f"{ATOM}{name}") is not None for name in ("id", "title", "updated", "link"))
        stamp = element.findtext(f"{ATOM}updated") or ""
        assert dt.datetime.fromisoformat(stamp.replace("Z", "+00:00")).tzinfo is not None
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids) == 21  # one release, and the twenty newest changes of the label
    assert all(link.get("href", "").startswith(f"{url}/") for link in feed.iter(f"{ATOM}link"))


def test_the_calendar_is_valid_and_marks_what_could_change_the_label() -> None:
    """Its dates: `test_release.py`."""
    event = {
        "series_id": "UNRATE",
        "title": "Unemployment; the rate, monthly " + "x" * 80,
        "period_end_date": dt.date(2026, 9, 30),
        "release_date": dt.date(2026, 10, 2),
        "components": "unemployment",
        "could_change_label": True,
    }
    events = [{**event, "date_basis": basis} for basis in ("publisher", "usual_lag", "overdue")]
    text = icalendar(events, dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n")) and text.endswith("END:VCALENDAR\r\n")
    whole = text.replace("\r\n ", "")
    assert "SUMMARY:Unemployment\\; the rate\\, monthly" in whole and ": could change the label\r\n" in whole
    assert "DTSTART;VALUE=DATE:20261002\r\n" in whole
    assert re.findall("DESCRIPTION:(\\w+)", whole) == ["By", "Expected", "Overdue"]


def test_a_release_that_could_not_be_copied_leaves_no_half_page(place: Path, tmp_path: Path) -> None:
    published = publish(place / "published", 0)
    broken = Path(copytree(published.parent, tmp_path / "published"))
    rmtree(broken / "csv")
    with pytest.raises(FileNotFoundError):
        add_release(broken / "regime.duckdb", tmp_path / "site", "# Method")
    assert [
        path for path in (tmp_path / "site").rglob("report.html") if not path.parent.name.startswith(".")
    ] == []
