"""`report.html`: one self-contained page about one release, written from the published file alone.

No clock, no environment, no network: the same file gives the same page.
"""

from __future__ import annotations

import re
from functools import partial

import duckdb
from markupsafe import Markup, escape

from assets.report import figures, flip, markets, record, terms, verdict, words
from assets.report.published import Release
from assets.report.sentences import TEMPLATES, sentence, templates

_SCRIPT = TEMPLATES / "pointing.js"
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_PARTS = (verdict, flip, markets, record)  # with tables of their own
_FILTERS = (
    words.capital, words.component_words, words.day, words.label_words, words.month, words.number, words.percent,
    words.reason_words, words.regime_words, words.signs, words.with_unit, words.withheld_or, flip.measure_words,
    record.caveat_words,
)  # fmt: skip
# Sections after the timeline: anchor, and name in the list of contents. From the post on they are folded.
_SECTIONS = {
    "change": "What changed",
    "flip": "What would change the label",
    "policy": "Direction and level",
    "past": "Past easing against now",
    "evidence": "Evidence",
    "money": "Money against the real rate",
    "premium": "Premia, yields, spreads",
    "fed": "Balance sheet and debt",
    "gold": "Gold against bonds",
    "post": "Against the post",
    "destination": "Where it went",
    "gauge": "Six criteria",
    "phases": "Phases",
    "followed": "What followed",
    "firm": "How firm",
    "known": "Validation",
    "caveats": "Caveats",
    "terms": "Terms",
    "sources": "Sources",
}
# Colour tokens: light, dark. Okabe and Ito's palette, safe for the colour-blind; a test computes the contrasts.
COLORS = {
    "bg": ("#fffdf9", "#14171b"),
    "ink": ("#1c1f24", "#eceae4"),
    "soft": ("#5a6068", "#a9aeb6"),
    "line": ("#e2ded5", "#30363d"),
    "panel": ("#f7f4ed", "#1b1f24"),
    "hot": ("#d55e00", "#ff8a3d"),
    "hot-text": ("#a84300", "#ffa266"),
    "hot-cell": ("#fbe6d6", "#3b2517"),
    "cold": ("#0072b2", "#56b4e9"),
    "cold-text": ("#00598c", "#7cc6f2"),
    "cold-cell": ("#dcecf7", "#15303f"),
    "mid": ("#7b7f86", "#8d939b"),
    "mid-cell": ("#efece4", "#252a30"),
    "stim": ("#008f68", "#2fc79b"),
    "stim-text": ("#00704f", "#2fc79b"),
    "tight": ("#9a5b8f", "#cc8fc2"),
    "second": ("#7a5230", "#c9a27e"),
    "third": ("#5d6b82", "#9fb0c9"),
    "gold": ("#a67a08", "#e3b341"),
    "gold-text": ("#7d5a00", "#e3b341"),
}


def render_report(con: duckdb.DuckDBPyConnection) -> str:
    """The page for the published, or staged, file behind a read-only connection."""
    release = Release(con)

    def marked(name: str) -> Markup:
        text = sentence(release, name)
        if text is None:
            return Markup("")
        strong = _STRONG.sub(r"<strong>\1</strong>", str(escape(text)))
        return Markup(f'<span data-sentence="{name}">{strong}</span>')

    environment = templates(TEMPLATES, _FILTERS)
    content = {name: value for part in _PARTS for name, value in part.content(release).items()}
    page = environment.get_template("report.html.j2").render(
        sentence=marked,
        text=lambda name: sentence(release, name),
        release=release,
        tiles=verdict.tiles(release),
        safe=Markup,
        terms=Markup(terms.LIST),
        style=Markup(style()),
        sections=_SECTIONS,
        phase_names=verdict.PHASE_NAMES,
        components=words.COMPONENTS,
        followed_assets=record.ASSETS.values(),
        inflation_rates=markets.INFLATION,
        studied=markets.STUDIED.values(),
        timeline=figures.timeline_figure(release),
        gold=figures.gold_figure(release),
        panel=partial(figures.panel, release),
        script=Markup(_SCRIPT.read_text(encoding="utf-8")),
        **content,
    )
    lines = [line.strip() for line in page.splitlines() if line.strip()]
    return terms.explained("\n".join(lines) + "\n")


def style() -> str:
    """The stylesheet with the colours of both themes, without comments and spaces."""
    sheet = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    for n, theme in enumerate(("light", "dark")):
        colors = "".join(f"--{name}:{pair[n]};" for name, pair in COLORS.items())
        sheet = sheet.replace(f"/*{theme}*/", colors)
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    return re.sub(r"\s*([{};:,>])\s*", r"\1", re.sub(r"\s+", " ", sheet)).strip()
