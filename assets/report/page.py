"""`report.html`: one self-contained page about one release, written from the published file alone.

Belongs here: putting sentences, figures and tables into the template. Does not belong here: any of the three, colours
(`tokens.py`). No clock, no environment, no network: the same file gives the same page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from assets.report import (
    record,
    sentences,
    sentences_flip,
    sentences_markets,
    sentences_record,
    tables,
    tables_flip,
    tables_markets,
)
from assets.report.figures import Figure, as_of, gold_figure, timeline_figure
from assets.report.first_screen import head, tiles
from assets.report.multiples import FED, MARKETS, MONEY, Panel, panel_figure
from assets.report.reading import Release, Sources
from assets.report.tokens import declarations
from assets.report.words import THIN, number

TEMPLATES = Path(__file__).parent / "templates"
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_SAYING = (sentences, sentences_flip, sentences_record, sentences_markets)
# Sections after the timeline: anchor and the name in the list of contents.
SECTIONS = (
    ("past", "Past easing against now"),
    ("evidence", "Evidence"),
    ("flip", "What would change the label"),
    ("change", "What changed"),
    ("money", "Money against the real rate"),
    ("post", "The post's figures"),
    ("premium", "Premia, yields, spreads"),
    ("fed", "Balance sheet and debt"),
    ("gold", "Gold against bonds"),
    ("destination", "Where it went"),
    ("gauge", "Six criteria"),
    ("phases", "Phases"),
    ("followed", "What followed"),
    ("firm", "How firm"),
    ("known", "Validation"),
    ("caveats", "Caveats"),
    ("sources", "Sources"),
)


def render_report(con: duckdb.DuckDBPyConnection) -> str:
    """The page for the published, or staged, file behind a read-only connection."""
    import jinja2
    from markupsafe import Markup, escape

    release = Release(con)

    def say(name: str) -> Markup:
        text = said(release, name)
        if text is None:
            return Markup("")
        strong = _STRONG.sub(r"<strong>\1</strong>", str(escape(text)))
        return Markup(f'<span data-sentence="{name}">{strong}</span>')

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    page = environment.get_template("report.html.j2").render(
        say=say,
        safe=Markup,
        style=Markup(_tight(_themed(style))),
        **_content(release),
    )
    return "\n".join(line.strip() for line in page.splitlines() if line.strip()) + "\n"


def said(release: Release, name: str) -> str | None:
    """A sentence by name. Raises AttributeError for one that does not exist."""
    module = next((one for one in _SAYING if hasattr(one, name)), sentences)
    text: str | None = getattr(module, name)(release)
    return text


def _content(release: Release) -> dict[str, Any]:
    newest_phases, phase_count = tables.newest_phases(release)
    return {
        "sections": SECTIONS,
        "head": head(release),
        "tiles": tiles(release),
        "timeline": timeline_figure(release),
        "gold": gold_figure(release),
        "money": panel_figure(release, MONEY),
        "market_panels": _panels(release, MARKETS),
        "fed_panels": _panels(release, FED),
        "four": [name.capitalize() for name in tables.FOUR],
        "past_easing": tables.past_easing_rows(release),
        "evidence": tables.evidence_groups(release),
        "thresholds": tables_flip.threshold_rows(release),
        "alone": tables_flip.alone_table(release),
        "changes": tables_flip.change_rows(release),
        "followed": record.followed_groups(release),
        "assets_held": list(record.ASSETS.values()),
        "variants": record.variant_rows(release),
        "cases": record.case_rows(release),
        "caveats": record.caveat_groups(release),
        "phases": newest_phases,
        "phase_count": phase_count,
        "premia": tables_markets.premium_rows(release),
        "post": tables_markets.post_rows(release),
        "assets": tables_markets.asset_rows(release),
        "destination": tables_markets.destination_rows(release),
        "gauge": tables_markets.gauge_rows(release),
        "warnings": tables_markets.warning_rows(release),
        "sources": tables_markets.source_rows(release),
        "cite": _sources_of_tables(release),
        "as_of": as_of(release),
        "inflation": _inflation_note(release),
    }


def _inflation_note(release: Release) -> str:
    """Inflation's own rule, which a reader needs beside its score."""
    target = number(release.parameters["verdict.inflation_target_pct"], 0)
    fall = number(release.parameters["verdict.inflation_fall_pp"], 1)
    months = int(release.parameters["verdict.inflation_window_months"])
    return (
        f"Inflation stands beside the score; it is cold below {target}{THIN}% or {fall}{THIN}pp lower than "
        f"{months} months before, else hot."
    )


def _panels(release: Release, panels: Sequence[Panel]) -> list[Figure]:
    return [figure for panel in panels if (figure := panel_figure(release, panel))]


def _sources_of_tables(release: Release) -> dict[str, Sources]:
    """Publishers with series that the captions of tables name."""
    scores = [f"regime.{name}_score" for name in ("valuation", "economy", "credit", "inflation")]
    post = ("nominal_10y_pct", "real_10y_pct", "unemployment_rate_pct", "real_gdp_yoy_pct", "cpi_yoy_pct")
    ids = {row["series_ids"] for row in release.evidence}
    held = release.rows("SELECT series_ids FROM relative_attractiveness WHERE as_of_date = ?", release.as_of)
    gauge = release.rows("SELECT series_ids FROM bubble_gauge WHERE as_of_date = ?", release.as_of)
    return {
        "scores": release.sources(*scores),
        "evidence": release.sources_of(_split(ids)),
        "post": release.sources(*(f"qe_phases.{column}" for column in (*post, "earnings_yield_pct"))),
        "assets": release.sources_of(_split({row["series_ids"] for row in held})),
        "gauge": release.sources_of(_split({row["series_ids"] for row in gauge})),
        "destination": release.sources(
            *(f"liquidity_destination.{column}" for column in ("destination", "gold_return_12m_pct"))
        ),
        "changes": release.sources_of(_split(ids)),
        "followed": release.sources("forward_returns.median_return_pct"),
        "premia": release.sources(
            "equity_risk_premium.erp_vs_nominal_10y_pp", "equity_risk_premium.erp_vs_real_10y_pp"
        ),
    }


def _split(lists: set[str | None]) -> list[str]:
    return sorted({name for text in lists if text for name in text.split(",")})


def _themed(style: str) -> str:
    return style.replace("/*light*/", declarations(0)).replace("/*dark*/", declarations(1))


def _tight(style: str) -> str:
    without_comments = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
    return re.sub(r"\s*([{};:,>])\s*", r"\1", re.sub(r"\s+", " ", without_comments)).strip()
