"""The sentence about policy for every combination of published values: one sentence, and no two the same."""

from __future__ import annotations

import itertools
import re

import pytest

from assets.catalog.loader import load_catalog
from assets.report.policy_sentence import Policy, gap_words, policy_sentence
from docs._generate.methodology import PAGE, decision_table

COLUMNS = {column.name: column for column in load_catalog().tables["regime"].columns}
TESTS = (*COLUMNS["balance_sheet_test"].values, None)
VALUES = (
    COLUMNS["stance"].values,
    COLUMNS["stance_driver"].values,
    ("accommodative", "neutral", "restrictive", None),
    TESTS,
    TESTS,
    (*COLUMNS["monetisation_band"].values, None),
    (True, False, None),
)
CODES = re.compile(r"stimul|technical|leaning|monetis|_|None|\{|  | ,|\(\)")  # and gaps and empty brackets
OTHER_WORDS = {"easing": ("tightening",), "tightening": ("easing",), "neutral": ("easing", "tightening")}


@pytest.mark.parametrize("stance", VALUES[0])
@pytest.mark.parametrize("driver", VALUES[1])
def test_every_combination_is_one_sentence_of_its_own(stance: str, driver: str) -> None:
    seen = set()
    for combination in itertools.product(*VALUES[2:]):
        for figures in ({}, {"share_pct": 10.7, "real_rate_pct": 0.71, "taylor_gaps_pp": (-0.43, -1.93)}):
            text = policy_sentence(Policy(stance, driver, *combination, **figures))
            assert re.findall(r"[.!?](?:\s|$)", text) == ["."], text
            assert text[0].isupper() and not CODES.search(text) and text.count("(") == text.count(")"), text
            direction = text.removeprefix("As a direction policy is ").split()[0].rstrip(",")
            assert not any(word in text for word in OTHER_WORDS[direction]), text
            seen.add(text)
    at_limit = 1 + 2  # with a share near a limit the four bands read the same
    assert len(seen) == 4 * 25 * 3 * (6 + at_limit), "two combinations read the same"


@pytest.mark.parametrize(
    ("share", "band", "expected"),
    [
        (8.9, "none", "less than a tenth"),
        (9.0, "none", "about a tenth of new federal debt, at the limit"),
        (11.0, "building", "about a tenth of new federal debt, at the limit"),
        (11.1, "building", "a tenth to a quarter"),
        (24.5, "building", "about a quarter of new federal debt, at the limit"),
        (75.4, "dominant", "about three quarters of new federal debt, at the limit"),
        (10.2, "not_applicable", "the deficit is too small"),
    ],
)
def test_a_band_is_not_asserted_at_its_limit(share: float, band: str, expected: str) -> None:
    policy = Policy("neutral", "none", None, None, None, band, None, share_pct=share)
    assert expected in policy_sentence(policy)


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ((-0.43, -1.2, -1.93), "0.4 to 1.9\u202fpp below"),
        ((0.5, 1.0), "0.5 to 1.0\u202fpp above"),
        ((-0.3, 0.2), "from 0.3\u202fpp below to 0.2\u202fpp above"),
        ((0.71,), "0.7\u202fpp above"),
        ((0.0, 0.04), "at"),
        ((0.0, -0.4), "0.0 to 0.4\u202fpp below"),
    ],
)
def test_the_gap_is_a_range_with_its_side(gaps: tuple[float, ...], expected: str) -> None:
    assert gap_words(gaps) == expected


def test_the_methodology_shows_the_tables() -> None:
    rows = [f"| {subject} | {value} | {text} |" for subject, value, text in decision_table()]
    assert "\n".join(rows) in PAGE.read_text(encoding="utf-8")
