"""`docs/validation.md` matches the sample, and every case on it has the expected value."""

from __future__ import annotations

from docs._generate.validation import PAGE, page


def test_the_page_is_what_the_sample_gives() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs._generate.validation"


def test_no_case_on_the_page_fails() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "**no**" not in text
    assert text.count("| yes |") > 15
