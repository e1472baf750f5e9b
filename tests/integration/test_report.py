"""report.html of the sample: complete, small, self-contained; and in other states. Its sentences: test_sentences.py."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from assets.report.figures import cleaned
from assets.report.page import COLORS, render_report
from assets.report.published import Release
from assets.report.sentences import sentence
from assets.report.terms import TERMS
from assets.report.words import label_words, number, period, period_end, regime_words
from assets.warehouse.connection import CONFIG

LARGEST = 250_000  # bytes: it is mailed, and opened on phones
SECTIONS = (
    "timeline", "change", "flip", "policy", "past", "evidence", "money", "premium", "fed", "gold", "post",
    "destination", "gauge", "phases", "followed", "firm", "known", "caveats", "terms", "sources",
)  # fmt: skip
CAPTION = re.compile(r"^.+\. .+ Source: [A-Z].+\. CSV", re.DOTALL)
MISSING = re.compile(r"\b(None|nan|NaN|NULL|NaT|inf)\b")


class Page(HTMLParser):
    """Elements of a page with their attributes, and its texts by the innermost element."""

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
def page(report_html: str) -> Page:
    return Page(report_html)


def test_the_same_release_gives_the_same_page(
    report_html: str, release: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept(spec: object, figure: str, width: str, *_: str) -> str:
        pattern = rf'<svg class="{width}" [^>]*aria-labelledby="{figure}-.*?</svg>'
        drawn = re.search(pattern, report_html, re.DOTALL)
        assert drawn is not None
        return drawn[0]

    monkeypatch.setattr("assets.report.figures.inline_svg", kept)
    assert render_report(release) == report_html


def test_the_page_is_small_and_short_and_loads_nothing(report_html: str, page: Page) -> None:
    assert len(report_html.encode()) <= LARGEST
    links = [str(a[name]) for _, a in page.elements for name in ("src", "href", "srcset") if name in a]
    other = [link for link in links if not link.startswith("#s-")]
    assert [link for link in other if not re.fullmatch(r"csv/[a-z_]+\.csv", link)] == ["data:,"]
    assert not re.search(r"url\((?!#)|@import|https?://", report_html)
    assert report_html.count("<script") == 1
    body = re.sub(r"<(style|script|svg|title)\b.*?</\1>", "", report_html, flags=re.DOTALL)
    before = body.partition('<details class="fold">')[0]  # of the appendix
    visible = re.sub(r"(<details.*?<summary>.*?</summary>).*?</details>", r"\1", before, flags=re.DOTALL)
    assert 800 <= len(re.sub(r"<[^>]+>", " ", re.sub(r"</?dfn[^>]*>", "", visible)).split()) <= 2500


def test_values_to_point_at_are_those_of_the_file(
    report_html: str, release: duckdb.DuckDBPyConnection
) -> None:
    text = re.search(r"<figure id=\"timeline\"[^>]* data-values='([^']+)'", report_html)
    assert text is not None
    shown = json.loads(unescape(text[1]))
    rows = release.execute(
        "SELECT round(bubble_score, 2), regime FROM regime WHERE as_of_date >= DATE '1995-01-31' "
        "ORDER BY as_of_date"
    ).fetchall()
    assert shown["lines"][0]["values"] == [round(100 * score) for score, _ in rows]
    labels = [name for name, count in shown["labels"] for _ in range(count)]
    assert labels == [label_words(regime) for _, regime in rows]
    assert (
        shown["from"] == [1995, 1] and shown["last"] == [2026, 9, 30] and shown["count"] == len(rows) == 381
    )


def test_the_page_is_whole_and_every_section_is_in_the_contents(page: Page) -> None:
    assert page.open == []
    ids = Counter(attrs["id"] for _, attrs in page.elements if "id" in attrs)
    assert [name for name, n in ids.items() if n > 1] == []
    named = {part for _, a in page.elements for part in (a.get("aria-labelledby") or "").split()}
    assert named - set(ids) == set()
    assert [a["id"] for tag, a in page.elements if tag == "h2"] == [f"s-{name}" for name in SECTIONS]
    links = [a["href"] for tag, a in page.elements if tag == "a" and str(a["href"]).startswith("#")]
    at_headings = SECTIONS[: SECTIONS.index("post")]  # what unfolds is no link
    assert Counter(links) == Counter(f"#s-{name}" for name in SECTIONS[1:] + at_headings)


def test_no_missing_value_and_no_code_is_printed_and_captions_and_rows_are_complete(
    report_html: str, page: Page
) -> None:
    words = [text for tag, text in page.texts if tag not in {"style", "title", "desc"}]
    assert [text for text in words if MISSING.search(text)] == []
    assert [text for text in words if "_" in text and not re.search(r"[A-Z]+_|__|/", text)] == []
    found = re.findall(r"<figcaption>(.*?)</figcaption>", report_html, re.DOTALL)
    captions = [re.sub(r"<[^>]+>", "", text) for text in found]
    assert len(captions) == 15 and [text for text in captions if not CAPTION.search(text)] == []
    for table in re.findall(r"<table.*?</table>", report_html, re.DOTALL):
        rows = [re.findall(r"<t[hd]\b[^>]*>", row) for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)]
        spans = [[int((re.search(r'colspan="(\d+)"', cell) or [1, 1])[1]) for cell in row] for row in rows]
        assert len({sum(row) for row in spans}) == 1, table[:200]


@pytest.mark.parametrize("hidden", ["", r'|<(\w+)[^>]*class="[^"]*\bopt\b.*?</\2>'], ids=["desktop", "phone"])
def test_every_term_is_explained_where_it_first_appears(report_html: str, hidden: str) -> None:
    """Outside headings and charts; the list at the end has the same explanations."""
    text, _, rest = report_html.partition('<dl class="terms">')
    text = re.sub(rf"<(nav|h[1-3]|svg|script|style|title|dt)\b.*?</\1>{hidden}", " ", text, flags=re.DOTALL)
    pieces = re.split(r'<dfn[^>]*title="([^"]+)">.*?</dfn>', text)
    explained, missing = set[str](), set[str]()
    for words, meaning in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        words = re.sub(r"<[^>]+>", " ", words)
        for term in sorted(TERMS, key=len, reverse=True):  # one inside a longer one is no appearance
            pattern = rf"(?i)(?<![\w-])(?:{term})(?![\w-])"
            missing |= {term} if re.search(pattern, words) and TERMS[term] not in explained else set()
            words = re.sub(pattern, "", words)
        explained.add(unescape(meaning))
    assert missing == set() and len(explained) > 40
    listed = {unescape(meaning) for meaning in re.findall(r"<dd>(.*?)</dd>", rest.partition("</dl>")[0])}
    assert explained - {""} <= listed


QUESTIONS = {  # what the first screen must answer, and where the answer begins
    "where": "Neutral policy in a bubble",
    "since when": "In September 2026 policy stopped being stimulus",
    "why": "Rate raised, purchases announced: they offset each other",
    "how sure": "100 % agree Of 375 variants",
    "what would change it": "Score < 0.52 0.26 lower, at one month-end. Next that could alone: a decision",
}


def test_the_first_screen_answers_the_five_questions(report_html: str) -> None:
    screen = report_html.partition("<main>")[2].partition("<section")[0]
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", screen)).replace("\u202f", " ").split())
    assert {name: answer in text for name, answer in QUESTIONS.items()} == dict.fromkeys(QUESTIONS, True)


def test_columns_of_past_easing_are_those_of_their_headings(
    report_html: str, release: duckdb.DuckDBPyConnection
) -> None:
    table = re.findall(r'<table class="four">.*?</table>', report_html, re.DOTALL)[0]
    heads = re.findall(r'<th scope="col">(\w+)</th>', table)[1:5]
    last = re.findall(r"<b>([\d.]+)</b>", table.split('class="now"')[1])[:4]
    columns = ", ".join(f"printf('%.2f', {name.lower()}_score)" for name in heads)
    row = release.execute(f"SELECT {columns} FROM qe_phases WHERE kind = 'today'").fetchall()[0]
    assert heads == ["Valuation", "Economy", "Inflation", "Credit"]
    assert tuple(last) == row


def test_the_share_price_of_every_phase_bears_the_month_it_is_of(
    report_html: str, release: duckdb.DuckDBPyConnection
) -> None:
    table = re.findall(r'<table class="four">.*?</table>', report_html, re.DOTALL)[0]
    shown = re.findall(r">([^<]* from high, [^<]*)</small>", table)
    rows = release.execute(
        "SELECT printf('%.1f', equity_drawdown_pct), CASE WHEN equity_price_basis LIKE 'z1%' "
        "THEN 'Q' || quarter(equity_price_date) || ' ' || year(equity_price_date) "
        "ELSE strftime(equity_price_date, '%b %Y') END FROM qe_phases "
        "ORDER BY kind = 'today', as_of_date"
    ).fetchall()
    plain = [re.sub(r"\s+", "", text.replace("\u2212", "-")) for text in shown]
    assert plain == [re.sub(r"\s+", "", f"{drawdown}% from high, {month}") for drawdown, month in rows]
    assert (plain[0], plain[4]) == ("-39.7%fromhigh,Oct2008", "-1.7%fromhigh,Feb2020")


# ---- other states than that of the sample's newest row

TODAY = {
    "care_indeterminate": ({"indeterminate_reason": "credit lacks coverage"}, "credit lacks coverage"),
    "care_provisional_row": (
        {"is_month_end": False, "provisional_condition_state": "mid_cycle"}, "would give mid-cycle"
    ),
    "care_coverage": (
        {"conditions_at_minimum_coverage": "credit", "is_spread_missing": True},
        "Credit has only the minimum coverage (0.50); no corporate bond spread is available",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TODAY)
def test_cares_of_other_states(release: duckdb.DuckDBPyConnection, name: str) -> None:
    of, (change, expected) = Release(release), TODAY[name]
    assert sentence(of, name) is None
    of.today.update(change)
    assert expected in (sentence(of, name) or "")


ALIKE = dict.fromkeys(
    ("regime", "regime_purchases_technical", "regime_effective_dates", "regime_realised"),
    "stimulus_into_bubble",
)
READINGS = [
    ({}, "Policy has been stimulus in a bubble since October 2025."),
    (
        {"regime_purchases_technical": "neutral_bubble"},
        "it is **stimulus if purchases for reserve management count, but neutral if purchases for reserve "
        "management are only technical**.",
    ),
    (
        {"regime_effective_dates": "neutral_bubble", "regime_realised": "neutral_bubble"},
        "it is **stimulus as announced, but neutral if decisions count only from the day they take effect or "
        "measured by the actual balance sheet**.",
    ),
]


@pytest.mark.parametrize(("readings", "expected"), READINGS)
def test_the_first_sentence_names_each_reading_that_differs(
    release: duckdb.DuckDBPyConnection, readings: dict[str, str], expected: str
) -> None:
    of = Release(release)
    since = {"stance": "stimulus", "regime_since": dt.date(2025, 10, 31), "is_stance_provisional": False}
    of.today.update(since | ALIKE | readings)
    assert (sentence(of, "lead_verdict") or "").endswith(expected)
    assert sentence(of, "lead_open") is None


Doctored = Callable[..., str]
_DATED = (
    "SELECT table_name FROM duckdb_columns() WHERE column_name = 'as_of_date' AND table_name IN "
    "(SELECT table_name FROM duckdb_tables()) AND table_name NOT IN ('qe_phases', 'release_manifest')"
)


def cut_at(day: str) -> list[str]:
    """The release as it would have ended on a month-end: no later row, no later start of purchases."""
    return [
        f"DELETE FROM qe_phases WHERE kind <> 'today' AND as_of_date > DATE '{day}'",
        f"UPDATE qe_phases SET as_of_date = DATE '{day}' WHERE kind = 'today'",
        f"UPDATE release_manifest SET as_of_date = DATE '{day}'",
    ]


@pytest.fixture
def doctored(made_release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctored:
    """The page of a changed copy of the release; `until` cuts it at a month-end. Charts are not drawn, to save time."""
    monkeypatch.setattr("assets.report.figures.inline_svg", lambda *_: "<svg></svg>")

    def page(*statements: str, until: str = "") -> str:
        copy = tmp_path / "regime.duckdb"
        shutil.copyfile(made_release, copy)
        copy.chmod(0o644)
        with duckdb.connect(str(copy), config=CONFIG) as con:
            if until:
                for (table,) in con.execute(_DATED).fetchall():
                    con.execute(f"DELETE FROM \"{table}\" WHERE as_of_date > DATE '{until}'")
            for statement in (*(cut_at(until) if until else ()), *statements):
                con.execute(statement)
            html = render_report(con)
        words = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", html, flags=re.DOTALL)
        shown = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", words)))
        assert not MISSING.search(shown)
        assert "<tbody></tbody>" not in html, "a table without a row"
        return re.sub(r" ([.,;:])", r"\1", shown)

    return page


def test_without_a_label_the_page_gives_the_reason_and_no_verdict(doctored: Doctored) -> None:
    forget = ", ".join(f"{name}_verdict = NULL" for name in ("valuation", "economy", "credit"))
    today = f"UPDATE qe_phases SET {forget}, hot_conditions = 1, cold_conditions = 0 WHERE kind = 'today'"
    page = doctored(today, "DELETE FROM forward_returns", until="1990-06-30")
    assert "There is no label on this date: valuation coverage" in page
    assert "history_too_short" not in page
    assert "There has been no label for 66 month-ends, since 31 Jan 1985." in page
    assert "three cannot be measured" in page
    assert "No month-end of this release has a score yet." in page
    assert "There is no score today, so no score threshold applies." in page


def test_a_label_without_a_closed_spell_has_no_past_to_show(doctored: Doctored) -> None:
    first = (
        "UPDATE forward_returns SET spells = 1, closed_spells = 0, closed_spells_measured = 0, "
        "month_ends_measured = 0, median_return_pct = NULL, mean_return_pct = NULL, lowest_return_pct = NULL, "
        "highest_return_pct = NULL WHERE regime = 'stimulus_into_bubble'"
    )
    page = doctored(first, until="1996-05-31")
    assert "Today's label has had one spell, still open: too few for an interval" in page
    assert "none measured" in page
    assert "in one spell, still open." in page
    assert "This release ends before the date of the post." in page
    assert "This release has no month-end among the undisputed dates." in page


def test_a_live_release_inside_a_month_shows_what_is_provisional_late_and_new(doctored: Doctored) -> None:
    page = doctored(
        "UPDATE regime SET is_month_end = false, provisional_condition_state = 'mid_cycle' "
        "WHERE as_of_date = DATE '2026-09-30'",
        "UPDATE release_manifest SET profile = 'live'",
        "INSERT INTO late_figures (as_of_date, series_id, observation_date, realtime_start, value_used, value_late, "
        "captured_at, first_published_at, captured_until) VALUES (DATE '2026-08-31', 'UNRATE', DATE '2026-07-01', "
        "DATE '2026-08-07', 4.2, 4.3, TIMESTAMP '2026-09-20', TIMESTAMP '2026-09-01', TIMESTAMP '2026-09-06')",
        "INSERT INTO regime_nightly SELECT published_at - INTERVAL 1 DAY AS published_at, "
        "* EXCLUDE (published_at) REPLACE ('stimulus_into_bubble' AS regime, 'stimulus' AS stance, "
        "0.5 AS bubble_score, DATE '2026-09-29' AS as_of_date) FROM regime_nightly",
    )
    assert "This row is provisional" in page
    assert "The figures of 30 Sep 2026 alone would give mid-cycle." in page
    assert "Before, it was stimulus into a bubble, from October 2025 to August 2026." in page
    assert "Live figures" in page and "Sample data" not in page
    assert "One figure of one series arrived too late for a live row, which stays as published." in page
    assert (
        "Since the previous publication, as of 29 Sep 2026: the label went from stimulus into a bubble"
        in page
    )
    assert "the stance went from stimulus to neutral and the bubble score from 0.500 to 0.782" in page


def test_before_a_bubble_the_page_shows_what_it_needs_and_which_input_could_help(doctored: Doctored) -> None:
    page = doctored(until="2024-01-31")
    assert "Tightening in mid-cycle" in page
    assert "All thresholds are met: a bubble begins if they are also met at the next month-end." in page
    assert "Nearest threshold: if" not in page
    assert "needed for a bubble, all three together" in page
    rows = re.findall(r"Unemployment rate ([\d.]+)\s?% ([\d.]+)\s?% ([\d.]+) meets economy score", page)
    assert len(rows) == 1
    now, needed, spreads = map(float, rows[0])
    assert needed > now and 0 < spreads < 10


# ---- parts without a release

TEXT, MARK = 4.5, 3.0  # least contrast of text and of marks
PAIRS = {
    **{(n, "bg"): TEXT for n in ("ink", "soft", "hot-text", "cold-text", "stim-text", "tight", "gold-text")},
    **{(front, "panel"): TEXT for front in ("ink", "soft", "hot-text", "cold-text")},
    **{(front, back): TEXT for front in ("ink", "soft") for back in ("mid-cell", "hot-cell", "cold-cell")},
    ("hot-text", "hot-cell"): TEXT,
    ("cold-text", "cold-cell"): TEXT,
    **{(front, "bg"): MARK for front in ("hot", "cold", "mid", "stim", "gold")},
    **{(front, "bg"): TEXT for front in ("second", "third")},
}


def luminance(color: str) -> float:
    """Relative luminance of a colour as the Web Content Accessibility Guidelines define it."""
    channels = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_colour_but_the_hairline_stands_out_in_both_themes() -> None:
    for theme in (0, 1):
        for pair, least in PAIRS.items():
            low, high = sorted(luminance(COLORS[name][theme]) for name in pair)
            assert (high + 0.05) / (low + 0.05) >= least, (theme, pair)
    assert set(COLORS) - {name for pair in PAIRS for name in pair} == {"line"}


def test_a_path_keeps_every_point_to_a_tenth_of_a_pixel_and_its_gaps() -> None:
    drawn = [(n * 0.8137, 100 + 40 * ((n * 7919) % 13) / 13 * (n % 3 == 0)) for n in range(300)]
    gaps = {100, 200}
    path = "".join(f"{'M' if n in gaps | {0} else 'L'}{x:.4f},{y:.4f}" for n, (x, y) in enumerate(drawn))
    svg = f'<svg width="300" height="200" viewBox="0 0 300 200"><path d="{path}" stroke="red"/></svg>'
    found = re.search(r' d="M([^"]+)"', cleaned(svg, "key", "wide", "t", "d", 12))
    assert found is not None and len(found[1]) < 0.6 * len(path) and found[1].count("m") == len(gaps)
    x, y, *steps = [float(value) for value in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", found[1])]
    kept = [(x, y)]
    for right, down in zip(steps[::2], steps[1::2], strict=True):
        kept.append((kept[-1][0] + right, kept[-1][1] + down))
    assert kept == [pytest.approx(point, abs=0.0501) for point in drawn]


def test_a_missing_figure_is_no_zero_and_the_prick_is_only_said_where_the_rate_drives() -> None:
    found = [number(None), number(-0.001), number(-0.55), number(1234.5, 1), number(0.004, 2, sign=True)]
    assert found == ["–", "0.00", "−0.55", "1,234.5", "0.00"]
    assert regime_words("tightening_into_bubble", "rate").endswith(": the prick")
    assert not regime_words("tightening_into_bubble", "balance_sheet").endswith(": the prick")


PERIODS = [
    ("2025-10-01", "Q", "Q4 2025", "2025-12-31"),  # a quarter that ends in December, stamped in October
    ("2026-03-31", "Q", "Q1 2026", "2026-03-31"),
    ("2026-04-01", "M", "Apr 2026", "2026-04-30"),
    ("2025-12-01", "M", "Dec 2025", "2025-12-31"),
    ("2026-06-10", "W", "10 Jun 2026", "2026-06-10"),
]
OF_SEVERAL = [
    ("2026-01-01", "CP,DGS10", "Q1 2026"),  # the slowest input names the period
    ("2026-07-01", "TOTBKCR,CPIAUCSL", "Jul 2026"),
    ("2026-06-10", "TOTBKCR,CPIAUCSL", "10 Jun 2026"),  # no month is stamped with its tenth day
]


def test_a_period_is_named_by_its_end(release: duckdb.DuckDBPyConnection) -> None:
    for stamp, frequency, named, end in PERIODS:
        day = dt.date.fromisoformat(stamp)
        assert (period(day, frequency), period_end(day, frequency).isoformat()) == (named, end)
    of = Release(release)
    for stamp, series_ids, named in OF_SEVERAL:
        assert of.period(dt.date.fromisoformat(stamp), series_ids) == named
    assert of.period(None, "CP") == "–"
