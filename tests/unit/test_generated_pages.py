"""`docs/validation.md` matches the sample, and `docs/evidence.md` the real files where they are next to the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs._generate import evidence, validation


def test_the_page_of_cases_is_what_the_sample_gives_and_no_case_fails() -> None:
    text = validation.PAGE.read_text(encoding="utf-8")
    assert text == validation.page(), "run: python -m docs._generate.validation"
    assert "**no**" not in text and text.count("| yes |") > 15


def test_the_page_of_evidence_has_the_figures_of_the_real_files(realdata: Path) -> None:
    if not (realdata / "outside" / "JSTdatasetR6.csv").exists():
        pytest.skip("the data set of countries is not next to the project")
    assert evidence.PAGE.read_text(encoding="utf-8") == evidence.page(realdata)
