"""Every sentence of report.html, recomputed by a separate query (`sentence_queries.py`).

The results of the query must be in the sentence, in that order, and the rest of the sentence has no figure.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
from html import unescape
from pathlib import Path

import duckdb
import pytest

from assets.report.published import Release
from assets.report.record import CASES
from assets.report.sentences import sentence
from assets.warehouse.connection import CONFIG
from tests.integration.sentence_queries import IN_MAY, KNOWN_OF, KNOWN_SAID, MACROS, RECOMPUTED, check

# Sentences about states the sample's newest row is not in; the tests below put a release into them.
OTHER_STATES = {"care_indeterminate", "care_provisional_row", "care_coverage"}


@pytest.fixture(scope="module")
def queried(made_release: Path) -> Release:
    """The release with the macros of the queries, and the undisputed dates."""
    con = duckdb.connect(str(made_release), read_only=True, config=CONFIG)
    con.execute(MACROS)
    con.execute(KNOWN_SAID + ", ".join(map(str, CASES)) + KNOWN_OF)
    return Release(con)


@pytest.fixture(scope="module")
def shown(report_html: str) -> dict[str, str]:
    """Sentences as the page shows them, without markup."""
    found = re.findall(r'<span data-sentence="(\w+)">(.*?)</span>', report_html, re.DOTALL)
    return {name: unescape(re.sub(r"<[^>]+>", "", text)) for name, text in found}


def test_every_sentence_shown_has_a_query(shown: dict[str, str]) -> None:
    assert set(shown) == set(RECOMPUTED)


def test_words_outside_sentences_claim_no_figure(report_html: str) -> None:
    """No paragraph under a heading has words outside its sentences."""
    paragraphs = re.findall(r'<p class="(?:lead|why|sub)">(.*?)</p>', report_html, re.DOTALL)
    bare = [
        re.sub(r"<span data-sentence.*?</span>|<[^>]+>", "", text, flags=re.DOTALL).strip()
        for text in paragraphs
    ]
    assert set(bare) == {""}


@pytest.mark.parametrize("name", RECOMPUTED)
def test_sentence(name: str, queried: Release, shown: dict[str, str]) -> None:
    check(RECOMPUTED[name], queried.con, shown[name])


@pytest.mark.parametrize("name", IN_MAY)
def test_sentence_in_may(name: str, made_release: Path, tmp_path: Path) -> None:
    copy = tmp_path / "regime.duckdb"
    shutil.copyfile(made_release, copy)
    copy.chmod(0o644)
    with duckdb.connect(str(copy), config=CONFIG) as con:
        con.execute(MACROS)
        for table in ("regime", "reserve_growth"):
            con.execute(f"DELETE FROM {table} WHERE as_of_date > DATE '2026-05-31'")
        con.execute("UPDATE release_manifest SET as_of_date = DATE '2026-05-31'")
        release = Release(con)
        check(IN_MAY[name], con, (sentence(release, name) or "").replace("**", ""))


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("care_indeterminate", {"indeterminate_reason": "credit lacks coverage"}, "credit lacks coverage"),
        (
            "care_provisional_row",
            {"is_month_end": False, "provisional_condition_state": "mid_cycle"},
            "would give mid-cycle",
        ),
        (
            "care_coverage",
            {"conditions_at_minimum_coverage": "credit", "is_spread_missing": True},
            "Credit has only the minimum coverage (0.50); no corporate bond spread is available",
        ),
    ],
)
def test_cares_of_other_states(
    made_release: Path, name: str, change: dict[str, object], expected: str
) -> None:
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        release = Release(con)
        assert sentence(release, name) is None
        release.today.update(change)
        assert expected in (sentence(release, name) or "")
        assert name in OTHER_STATES


_SAME = dict.fromkeys(
    ("regime", "regime_purchases_technical", "regime_effective_dates", "regime_realised"),
    "stimulus_into_bubble",
)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
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
    ],
    ids=["none", "technical purchases", "effective dates and realised"],
)
def test_the_first_sentence_names_each_reading_that_differs(
    made_release: Path, readings: dict[str, str], expected: str
) -> None:
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        release = Release(con)
        since = {"stance": "stimulus", "regime_since": dt.date(2025, 10, 31), "is_stance_provisional": False}
        release.today.update(since | _SAME | readings)
        text = sentence(release, "lead_verdict") or ""
        assert text.startswith("Policy has been stimulus in a bubble since October 2025") and text.endswith(
            expected
        )
        assert sentence(release, "lead_open") is None
