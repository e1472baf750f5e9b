"""A static site that grows: a permanent page per release, and pages about all of them, drawn from the newest.

A release is added once and never written again: its report, the tables its charts link, and `regime.json`. The pages
about all releases are replaced. Every link is relative, so the site works from a disk and behind any static host.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from markupsafe import Markup

from assets.report import words
from assets.report.charts import PANEL, Line, lines_chart
from assets.report.figures import inline_svg
from assets.report.flip import coming_releases, rate_could_change
from assets.report.page import style
from assets.report.published import Release, Row
from assets.report.sentences import sentence, templates
from assets.report.words import component_inside

_TEMPLATES = Path(__file__).parent / "templates" / "site"
_LINKED = re.compile(r'href="(csv/[a-z0-9_]+\.csv)"')
_FILTERS = (words.day, words.label_words, words.regime_words, words.number, words.period)
_HEADING = re.compile(r"<(h[1-6])>(.*?)</h[1-6]>")
_LINK = re.compile(r'<a href="(?!#|https?:)[^"]*">(.*?)</a>', re.DOTALL)
_NIGHTS_SHOWN = 400
_SERIES = "SELECT * FROM series WHERE is_published ORDER BY series_id"
# First and newest figure of each observation; a withdrawn figure is NULL.
_REVISIONS = """
SELECT observation_date, arg_min(value, realtime_start) AS first_value, min(realtime_start) AS first_known,
  max_by(value, realtime_start) AS newest_value, count(*) AS vintages,
  bool_or(vintage_source IN ('alfred', 'rtdsm', 'publisher')) AS is_dated
FROM observations WHERE series_id = ? GROUP BY 1 ORDER BY 1
"""
_REVISIONS_SHOWN = 24
_CHANGES = """
SELECT DISTINCT as_of_date, regime_before, regime, stance_cause, thresholds_crossed FROM regime_changes ORDER BY 1 DESC
"""


@dataclass(frozen=True)
class Added:
    """What was done: the release, whether its page is new, how many releases the site has, and its first page."""

    release_id: str
    is_new: bool
    releases: int
    index: Path


def add_release(published: Path, site: Path, methodology: str, url: str = "") -> Added:
    """Add the release next to the published file, and replace the pages about all of them.

    `methodology` is Markdown. `url` is the address the site will have, for the feed; without it the feed's links are
    relative. Raises OSError, duckdb.Error.
    """
    folder = published.parent
    release_id = str(
        json.loads((folder / "regime.json").read_text(encoding="utf-8"))["release"]["release_id"]
    )
    is_new = _add(folder, site / "releases" / release_id)
    kept = sorted(
        (_kept(path) for path in (site / "releases").glob("*/regime.json")), key=lambda row: row["release_id"]
    )
    with duckdb.connect(str(published), read_only=True) as con:
        pages = dict(_pages(Release(con), kept[::-1], methodology, url))
    for name, text in pages.items():
        _replace(site / name, text)
    return Added(release_id, is_new, len(kept), site / "index.html")


def _add(folder: Path, target: Path) -> bool:
    """Copy the files of a release under a temporary name and rename: a page is there whole, or not at all."""
    if target.exists():
        return False
    unfinished = target.with_name(f".{target.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "csv").mkdir(parents=True)
    report = (folder / "report.html").read_text(encoding="utf-8")
    for name in ("report.html", "regime.json", *sorted(set(_LINKED.findall(report)))):
        shutil.copyfile(folder / name, unfinished / name)
    os.replace(unfinished, target)
    return True


def _kept(path: Path) -> Row:
    """A release of the site, as its own regime.json states it."""
    content = json.loads(path.read_text(encoding="utf-8"))
    facts, today = content["release"], content["regime"]
    return {
        "release_id": facts["release_id"],
        "published_at": dt.datetime.fromisoformat(facts["published_at"].replace("Z", "+00:00")),
        "profile": facts["profile"],
        "method_version": facts["method_version"],
        "as_of": dt.date.fromisoformat(facts["as_of_date"]),
        "regime": today["regime"],
        "stance_driver": today["stance_driver"],
        "bubble_score": today["bubble_score"],
        "page": f"releases/{facts['release_id']}/report.html",
    }


def _pages(release: Release, kept: list[Row], methodology: str, url: str) -> list[tuple[str, str]]:
    """Name and text of every page that is replaced; `kept` has the newest release first."""
    environment = templates(_TEMPLATES, _FILTERS)
    environment.globals["style"] = Markup(style())
    changes, series, coming = release.rows(_CHANGES), release.rows(_SERIES), coming_releases(release)
    with_page = {one["series_id"] for one in series}
    nights = release.rows(f"SELECT * FROM regime_nightly ORDER BY published_at DESC LIMIT {_NIGHTS_SHOWN}")

    def page(template: str, root: str = "", **content: Any) -> str:
        return environment.get_template(template).render(root=root, newest=kept[0], **content)

    return [
        (
            "index.html",
            page("index.html.j2", releases=kept, coming=coming, with_page=with_page, **_first(release)),
        ),
        ("archive.html", page("archive.html.j2", releases=kept)),
        ("labels.html", page("labels.html.j2", changes=changes)),
        ("nights.html", page("nights.html.j2", nights=nights)),
        ("methodology.html", page("methodology.html.j2", text=Markup(_html(methodology)))),
        ("series/index.html", page("series_index.html.j2", "../", series=series)),
        *(
            (f"series/{one['series_id']}.html", page("series.html.j2", "../", **_series(release, one)))
            for one in series
        ),
        ("feed.xml", page("feed.xml.j2", releases=kept, changes=changes, url=_ending(url))),
        ("coming.ics", icalendar(coming, kept[0]["published_at"])),
    ]


def _first(release: Release) -> Mapping[str, Any]:
    """What the first page says of the newest release."""
    texts = [
        sentence(release, name) for name in ("lead_verdict", "lead_open", "lead_since", "lead_conditions")
    ]
    return {
        "texts": [text.replace("**", "") for text in texts if text],
        "rate_could_change": rate_could_change(release),
    }


def _series(release: Release, series: Row) -> Mapping[str, Any]:
    """What a series page shows: the newest figures, and each observation's first and newest value."""
    rows = release.rows(_REVISIONS, series["series_id"])
    points = [(row["observation_date"], row["newest_value"]) for row in rows]
    line = Line(series["title"], "ink", points, series["unit"])
    picture = ""
    if line.last is not None:
        spec = lines_chart([line], PANEL[0])
        description = f"{series['unit']}; newest {words.number(line.last[1])} on {words.day(line.last[0])}."
        picture = inline_svg(spec, series["series_id"].lower(), "both", series["title"], description)
    return {"series": series, "rows": rows[: -_REVISIONS_SHOWN - 1 : -1], "picture": Markup(picture)}


def _html(markdown: str) -> str:
    """Markdown as HTML; links to other files of the project keep their text alone, since the site has no such files."""
    from markdown_it import MarkdownIt

    rendered = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    named = _HEADING.sub(
        lambda found: f'<{found[1]} id="{_anchor(found[2])}">{found[2]}</{found[1]}>', rendered
    )
    return _LINK.sub(r"\1", named)


def _anchor(heading: str) -> str:
    """The anchor that Markdown viewers give a heading."""
    plain = re.sub(r"<[^>]+>|[^\w\s-]", "", heading).lower()
    return re.sub(r"\s", "-", plain.strip())


def _ending(url: str) -> str:
    return url if not url or url.endswith("/") else f"{url}/"


def _replace(path: Path, text: str) -> None:
    """Write a page next to its place and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_text(text, encoding="utf-8", newline="")
    os.replace(unfinished, path)


# ---- the calendar of coming releases

_BASES = {
    "publisher": "By the release calendar of the publisher.",
    "usual_lag": "Expected about this day, by the usual lag.",
    "overdue": "Overdue by the usual lag; it can come on any day.",
}
_LONGEST_LINE = 75  # octets, by RFC 5545


def icalendar(coming: Sequence[Row], stamp: dt.datetime) -> str:
    """All-day events as RFC 5545 writes them: folded lines, CRLF. A figure keeps its event when its day moves."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//stimulus-regime//coming releases//EN"]
    for one in coming:
        mark = "could change the label" if one["could_change_label"] else "cannot change the label alone"
        inputs = ", ".join(component_inside(name) for name in one["components"].split(", "))
        summary = f"{one['title']} ({one['series_id']}): {mark}"
        description = f"{_BASES[one['date_basis']]} Input of {inputs}."
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one['series_id']}-{one['period_end_date']:%Y%m%d}@stimulus-regime",
            f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{one['release_date']:%Y%m%d}",
            f"SUMMARY:{_escaped(summary)}",
            f"DESCRIPTION:{_escaped(description)}",
            "END:VEVENT",
        ]
    return "".join(f"{folded}\r\n" for line in [*lines, "END:VCALENDAR"] for folded in _folded(line))


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text


def _folded(line: str) -> list[str]:
    """A line in parts of at most 75 octets; each but the first begins with a blank."""
    parts, part = [], ""
    for sign in line:
        if len((part + sign).encode()) > _LONGEST_LINE:
            parts.append(part)
            part = " "
        part += sign
    return [*parts, part]
