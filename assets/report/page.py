"""`report.html`: one self-contained page about one release, written from the published file alone.

No clock, no environment, no network: the same file gives the same page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
import jinja2
from markupsafe import Markup, escape

from assets.report import figures, flip, lead, markets, record, terms, tiles, verdict, words
from assets.report.published import Release

_TEMPLATES = Path(__file__).parent / "templates"
_SCRIPT = _TEMPLATES / "pointing.js"
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_PARTS = (verdict, tiles, flip, markets, record)  # with tables of their own
_SENTENCES = (lead, *_PARTS)
_FILTERS = (
    words.capital, words.component_words, words.day, words.label_words, words.month, words.number, words.percent,
    words.reason_words, words.regime_words, words.with_unit, flip.measure_words,
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

    environment = templates(_TEMPLATES, _FILTERS)
    content = {name: value for part in _PARTS for name, value in part.content(release).items()}
    timeline = figures.timeline_figure(release)
    page = environment.get_template("report.html.j2").render(
        sentence=marked,
        safe=Markup,
        terms=Markup(terms.LIST),
        style=Markup(style()),
        sections=_SECTIONS,
        glyphs=verdict.GLYPHS,
        four=verdict.FOUR,
        phase_names=verdict.PHASE_NAMES,
        followed_assets=record.ASSETS.values(),
        inflation_rates=markets.INFLATION,
        studied=markets.STUDIED.values(),
        variants=record.VARIANTS,
        timeline=timeline,
        conditions=figures.condition_figures(release, content["base_rates"]) if timeline else [],
        gold=figures.gold_figure(release),
        money=figures.panel_figure(release, figures.MONEY),
        market_panels=figures.panel_figures(release, figures.MARKETS),
        fed_panels=figures.panel_figures(release, figures.FED),
        script=Markup(_SCRIPT.read_text(encoding="utf-8")),
        **content,
    )
    lines = [line.strip() for line in page.splitlines() if line.strip()]
    return terms.explained("\n".join(lines) + "\n")


def templates(folder: Path, filters: Iterable[Callable[..., str]]) -> jinja2.Environment:
    """The templates of a folder; a function is a filter under its own name."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in filters}
    return environment


def sentence(release: Release, name: str) -> str | None:
    """A sentence by name. Raises StopIteration for one that does not exist."""
    part = next(part for part in _SENTENCES if hasattr(part, name))
    text: str | None = getattr(part, name)(release)
    return text


def style() -> str:
    """The stylesheet with the colours of both themes, without comments and spaces."""
    sheet = (_TEMPLATES / "report.css").read_text(encoding="utf-8")
    for n, theme in enumerate(("light", "dark")):
        colors = "".join(f"--{name}:{pair[n]};" for name, pair in COLORS.items())
        sheet = sheet.replace(f"/*{theme}*/", colors)
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    return re.sub(r"\s*([{};:,>])\s*", r"\1", re.sub(r"\s+", " ", sheet)).strip()
