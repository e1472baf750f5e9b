"""report.html of releases in other states than the sample's newest row: cut short, provisional, live."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path

import duckdb
import pytest

from assets.report.page import render_report
from assets.warehouse.connection import CONFIG

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
        assert not re.search(r"\b(None|nan|NaN|NULL|NaT|inf)\b", shown)
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
