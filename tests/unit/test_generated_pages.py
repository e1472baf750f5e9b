"""Pages made from code match what it gives, and the glossary names what the release has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from docs._generate import evidence, validation


def test_the_page_of_cases_is_what_the_sample_gives_and_no_case_fails() -> None:
    text = validation.PAGE.read_text(encoding="utf-8")
    assert text == validation.page(), "run: python -m docs._generate.validation"
    assert "**no**" not in text and text.count("| yes |") > 15


def test_the_page_of_evidence_has_the_figures_of_the_real_files(realdata: Path) -> None:
    if not (realdata / "outside" / "JSTdatasetR6.csv").exists():
        pytest.skip("the data set of countries is not next to the project")
    assert evidence.PAGE.read_text(encoding="utf-8") == evidence.page(realdata)


GLOSSARY = (PROJECT_ROOT / "docs" / "glossary.md").read_text("utf-8")


def test_every_name_of_the_glossary_is_one_of_the_release() -> None:
    catalog = load_catalog()
    known = set(catalog.tables) | {c.name for t in catalog.tables.values() for c in t.columns}
    known |= {"series_as_of", "all_as_of"}  # macros
    rows = [
        line.split("|") for line in GLOSSARY.split("## Suffixes")[0].splitlines() if line.startswith("| ")
    ]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[3])}
    assert len(named) > 40 and named - known == set()


def test_every_suffix_of_the_glossary_is_in_use() -> None:
    columns = {c.name for t in load_catalog().tables.values() for c in t.columns}
    suffixes = re.findall(r"`(_\w+)`", GLOSSARY.split("## Suffixes")[1])
    assert suffixes and [s for s in suffixes if not any(c.endswith(s) for c in columns)] == []
