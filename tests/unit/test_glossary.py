"""The glossary names what is there: every name in it is a table, column, view, macro or value of the release."""

from __future__ import annotations

import re

from assets.catalog.loader import PROJECT_ROOT, load_catalog

PAGE = (PROJECT_ROOT / "docs" / "glossary.md").read_text("utf-8")


def test_every_name_of_the_glossary_is_one_of_the_release() -> None:
    catalog = load_catalog()
    known = set(catalog.tables) | {c.name for t in catalog.tables.values() for c in t.columns}
    known |= {"series_as_of", "all_as_of"}  # macros
    rows = [line.split("|") for line in PAGE.split("## Suffixes")[0].splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[3])}
    assert len(named) > 40 and named - known == set()


def test_every_suffix_of_the_glossary_is_in_use() -> None:
    columns = {c.name for t in load_catalog().tables.values() for c in t.columns}
    suffixes = re.findall(r"`(_\w+)`", PAGE.split("## Suffixes")[1])
    assert suffixes and [s for s in suffixes if not any(c.endswith(s) for c in columns)] == []
