"""The sentence about policy for every combination of published values: one sentence, and no word against another."""

from __future__ import annotations

import itertools
import re

import pytest

from assets.catalog.loader import load_catalog
from assets.report import policy_sentence as words
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
# Subject -> where its clause is, and patterns of its values: exactly one of them must be there.
GROWTH = ("smaller", "keep", "a little faster", "much faster", "cannot be compared")
BANDS = (
    "less than", "took a tenth to", "took a quarter to", "quarters or more", "too small", "cannot", "at the limit",
)  # fmt: skip
CLAUSES = {
    "direction": (
        r"^As a direction policy is (\w+)[^,]*, (?:and|but) its",
        ("easing", "neutral", "tightening"),
    ),
    "level": (r", (?:and|but) (its level is .*?);", ("accommodative", "neutral", "restrictive", "not rated")),
    "balance sheet": (r"; the balance sheet (.*?), (?:while|as|and|nor) ", GROWTH),
    "reserves": (
        r"; the balance sheet .*?, (?:while|as|and|nor) (.*?);",
        (*GROWTH, "^(?:are|do|can) reserves$"),
    ),
    "share": (r"; (the (?:Fed|deficit)[^;]*?), and [^,]*$", BANDS),
    "signs": (r", and ([^,]*signs[^,]*)\.$", ("^not all three", "^all three", "^the three signs .* cannot")),
}
# A word of a direction or of a level may not be anywhere but in its own clause.
ONLY_IN = {
    "easing": "direction",
    "tightening": "direction",
    "accommodative": "level",
    "restrictive": "level",
}
LABELS = re.compile(
    r"stimul|technical|leaning|monetis|_|None|\{|  | ,|\(\)"
)  # codes, gaps and empty brackets


def clauses(text: str) -> dict[str, str]:
    found = {subject: re.search(pattern, text) for subject, (pattern, _) in CLAUSES.items()}
    return {subject: match[1] if match else "" for subject, match in found.items()}


def contradictions(text: str) -> list[str]:
    """Subjects with no value or several, and words of one subject in the clause of another."""
    parts, wrong = clauses(text), []
    for subject, (_, values) in CLAUSES.items():
        held = [value for value in values if re.search(value, parts[subject])]
        if len(held) != 1:
            wrong.append(f"{subject}: {held}")
    for word, subject in ONLY_IN.items():
        if word in text and text.count(word) != parts[subject].count(word):
            wrong.append(f"{word} outside {subject}")
    return wrong


@pytest.mark.parametrize("stance", VALUES[0])
@pytest.mark.parametrize("driver", VALUES[1])
def test_every_combination_is_one_sentence_without_a_contradiction(stance: str, driver: str) -> None:
    seen = {}
    for combination in itertools.product(*VALUES[2:]):
        for figures in ({}, {"share_pct": 10.7, "real_rate_pct": 0.71, "taylor_gaps_pp": (-0.43, -1.93)}):
            text = policy_sentence(Policy(stance, driver, *combination, **figures))  # type: ignore[arg-type]
            assert re.findall(r"[.!?](?:\s|$)", text) == ["."], text
            assert text[0].isupper() and not LABELS.search(text), text
            assert text.count("(") == text.count(")"), text
            assert contradictions(text) == [], text
            seen[text] = combination
    at_limit = 1 + 2  # with a share near a limit the four bands read the same
    expected = 4 * 25 * 3 * (6 + at_limit)
    assert len(seen) == expected, "two combinations read the same"


def test_a_word_in_the_wrong_clause_would_be_found() -> None:
    text = policy_sentence(Policy("stimulus", "rate", "restrictive", "technical", "leaning", "none", True))
    assert contradictions(text) == []
    for wrong in (
        text.replace("the balance sheet", "the easing balance sheet"),
        text.replace("is still restrictive", "is still accommodative and restrictive"),
        text.replace("only keeps pace", "is smaller and only keeps pace"),
        text.replace("and all three", "and not tightening, though all three"),
    ):
        assert contradictions(wrong) != [], wrong


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


def test_the_tables_have_every_published_value() -> None:
    assert set(words.DIRECTION) == set(words.LEVEL) == set(VALUES[0])
    assert set(words.DRIVER) == set(VALUES[1])
    assert all(set(of_stance) == set(VALUES[2]) for of_stance in words.LEVEL.values())
    assert set(words.BALANCE_SHEET) == set(words.RESERVES) == set(words.SAME) == set(TESTS)
    assert set(words.BAND) == set(VALUES[5])
    assert set(words.COORDINATION) == set(VALUES[6])


def test_the_methodology_shows_the_tables() -> None:
    rows = [f"| {subject} | {value} | {text} |" for subject, value, text in decision_table()]
    assert "\n".join(rows) in PAGE.read_text(encoding="utf-8")
