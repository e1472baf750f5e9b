"""`docs/methodology.md` has the parameters of the method, every derived table and every series that counts."""

from __future__ import annotations

import pytest

from assets.catalog.loader import load_catalog
from assets.compute.registry import REGISTRY
from docs._generate.methodology import HEADING, PAGE, parameters, quoted, shown, with_parameters

TEXT = PAGE.read_text(encoding="utf-8")
PROSE = TEXT[: TEXT.index(HEADING)]
PARAMETERS = parameters()
DERIVED = [name for name in REGISTRY if load_catalog().tables[name].layer == "derived"]


def test_the_list_of_parameters_is_the_methods() -> None:
    assert with_parameters(TEXT) == TEXT, "run: python -m docs._generate.methodology"


@pytest.mark.parametrize(("name", "value"), quoted(PROSE))
def test_a_quoted_figure_is_the_methods(name: str, value: str) -> None:
    assert name in PARAMETERS, "no such parameter"
    assert value == shown(PARAMETERS[name])


def test_the_prose_explains_most_parameters() -> None:
    explained = {name for name, _ in quoted(PROSE)}
    assert len(explained) > 0.8 * len(PARAMETERS), sorted(set(PARAMETERS) - explained)


def test_quotations_are_read_as_they_are_written() -> None:
    text = "`a.b` = 0.6, `c.d` = -35.0; `e.f` = [1, 2], `g.h` = 2025-11-05. `i` = 1.0.0."
    assert quoted(text) == [
        ("a.b", "0.6"), ("c.d", "-35.0"), ("e.f", "[1, 2]"), ("g.h", "2025-11-05"), ("i", "1.0.0"),
    ]  # fmt: skip


@pytest.mark.parametrize("table", DERIVED)
def test_every_derived_table_has_its_section(table: str) -> None:
    headings = " ".join(line for line in PROSE.splitlines() if line.startswith("### "))
    assert table in headings.split()


def test_every_series_of_a_condition_the_stance_or_a_table_is_named() -> None:
    catalog = load_catalog()
    used = {
        origin
        for table in DERIVED
        for column in catalog.tables[table].columns
        for origin in column.derived_from
        if "." not in origin
    }
    assert {series_id for series_id in used if series_id not in PROSE} == set()
