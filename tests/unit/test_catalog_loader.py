"""A wrong declaration stops the load in one line that names the file, the entry and the key."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assets.catalog.loader import PROJECT_ROOT, CatalogError, load_catalog

TABLE = """
layer = "derived"
group = "figures"
title = "A table for the test"
grain = "one row per as-of date"
key = ["as_of_date"]

[[column]]
name = "as_of_date"
type = "DATE"
unit = "date"
definition = "Month-end the row is about"
nullable = false
derived_from = []

[[column]]
name = "nominal_10y_pct"
type = "DOUBLE"
unit = "percent"
definition = "Nominal 10-year yield"
nullable = true
derived_from = ["DGS10"]
"""
Edit = Callable[[str, str, str], None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose catalogue may be spoiled; its tables are one, written by the test."""
    source, target = PROJECT_ROOT / "assets" / "catalog", tmp_path / "assets" / "catalog"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.py", "tables", "__pycache__"))
    (target / "tables").mkdir()
    (target / "tables" / "yields.toml").write_text(TABLE)
    return tmp_path


@pytest.fixture
def edit(root: Path) -> Edit:
    """Replace one piece of text, which must be there, in one file of the catalogue."""

    def replace(file: str, old: str, new: str) -> None:
        path = root / "assets" / "catalog" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return replace


def _refusal(root: Path) -> str:
    with pytest.raises(CatalogError) as caught:
        load_catalog(root)
    message = str(caught.value)
    assert "\n" not in message and str(root) not in message
    return message


def test_untouched_copy_loads(root: Path) -> None:
    catalog = load_catalog(root)
    assert catalog.series == load_catalog().series
    assert catalog.tables["yields"].column_names == ("as_of_date", "nominal_10y_pct")


def test_missing_key_is_named(root: Path, edit: Edit) -> None:
    edit("series/rates.toml", 'unit = "Percent"\n', "")
    assert _refusal(root) == "assets/catalog/series/rates.toml: DGS10: missing key 'unit'"


def test_misspelt_key_is_named_with_its_likely_meaning(root: Path, edit: Edit) -> None:
    edit("series/rates.toml", 'unit = "Percent"\n', 'untis = "Percent"\n')
    expected = "assets/catalog/series/rates.toml: DGS10: unknown key 'untis' (did you mean 'unit'?)"
    assert _refusal(root) == expected


def test_value_outside_its_list_is_named(root: Path, edit: Edit) -> None:
    edit("series/rates.toml", 'unit_kind = "pct"', 'unit_kind = "percent"')
    message = _refusal(root)
    assert message.startswith("assets/catalog/series/rates.toml: DGS10: key 'unit_kind': ")
    assert message.endswith("not 'percent'")


def test_range_upside_down_is_refused(root: Path, edit: Edit) -> None:
    edit("series/rates.toml", "plausible_max = 20.0", "plausible_max = -20.0")
    assert "rates.toml: DGS10: key 'plausible_min': must be below plausible_max" in _refusal(root)


def test_series_in_two_files_is_refused(root: Path) -> None:
    folder = root / "assets" / "catalog" / "series"
    (folder / "zz_more.toml").write_text((folder / "gold.toml").read_text())
    expected = "assets/catalog/series/zz_more.toml: GOLD_WB_MONTHLY: already declared in gold.toml"
    assert _refusal(root) == expected


def test_group_and_id_come_from_the_file_not_from_the_entry(root: Path, edit: Edit) -> None:
    edit("series/gold.toml", "[GOLD_WB_MONTHLY]", '[GOLD_WB_MONTHLY]\ngroup = "rates"')
    assert "gold.toml: GOLD_WB_MONTHLY: unknown key 'group'" in _refusal(root)


def test_broken_toml_names_the_file(root: Path, edit: Edit) -> None:
    edit("series/gold.toml", "[GOLD_WB_MONTHLY]", "[GOLD_WB_MONTHLY")
    assert _refusal(root).startswith("assets/catalog/series/gold.toml: not valid TOML: ")


def test_missing_file_is_named(root: Path) -> None:
    (root / "assets/catalog/method.toml").unlink()
    assert _refusal(root) == "assets/catalog/method.toml: file is missing"


def test_nested_parameter_is_named_with_its_section(root: Path, edit: Edit) -> None:
    edit("method.toml", "enter_valuation = 0.70 ", "enter_valutation = 0.70 ")
    expected = "method: state.bubble: unknown key 'enter_valutation' (did you mean 'enter_valuation'?)"
    assert _refusal(root).endswith(expected)


def test_weights_that_do_not_sum_to_one_are_refused(root: Path, edit: Edit) -> None:
    edit("method.toml", "weight_return = 0.175", "weight_return = 0.245")
    assert "section 'valuation': weights sum to 1.07, not 1" in _refusal(root)


def test_delay_of_an_unknown_series_is_refused(root: Path, edit: Edit) -> None:
    edit("release_delays.toml", 'series_id = "UNRATE"', 'series_id = "UNRTAE"')
    message = _refusal(root)
    assert "release_delays.toml: delay UNRTAE 1995-12-01: key 'series_id': 'UNRTAE' does not exist" in message
    assert message.endswith("(did you mean 'UNRATE'?)")


def test_delay_given_twice_is_refused(root: Path, edit: Edit) -> None:
    edit("release_delays.toml", 'series_id = "PAYEMS"', 'series_id = "UNRATE"')
    assert "delay UNRATE 1995-12-01: key 'observation_date': already has a row" in _refusal(root)


def test_delay_with_neither_date_nor_never_is_refused(root: Path, edit: Edit) -> None:
    edit("release_delays.toml", "released_on = 1996-01-19, ", "")
    assert "delay UNRATE 1995-12-01: key 'released_on': give a date, or never = true" in _refusal(root)


def test_ledger_without_the_day_it_was_checked_is_refused(root: Path, edit: Edit) -> None:
    edit("policy_events.toml", "last_checked = 2026-09-30", "checked = 2026-09-17")
    expected = "assets/catalog/policy_events.toml: top level: missing key 'last_checked'"
    assert _refusal(root) == expected


def test_events_out_of_order_are_refused(root: Path, edit: Edit) -> None:
    edit("policy_events.toml", "announced_on = 2008-11-25", "announced_on = 2009-11-25")
    assert "policy_events.toml: event 2009-11-25: key 'effective_on': before the announcement" in _refusal(
        root
    )
    edit("policy_events.toml", "effective_on = 2008-12-01", "effective_on = 2009-12-01")
    assert "policy_events.toml: event 2009-03-18: key 'announced_on': out of order" in _refusal(root)


def test_event_without_direction_is_refused(root: Path, edit: Edit) -> None:
    edit("policy_events.toml", "direction = 1\n", "")
    assert "event 2008-11-25: key 'direction': required for a balance-sheet event" in _refusal(root)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('["DGS10"]', '["DGS01"]', "nominal_10y_pct: key 'derived_from': 'DGS01' does not exist"),
        ('["DGS10"]', '["yields.nominal_10y_pct"]', "nominal_10y_pct: key 'derived_from': names itself"),
        (
            '["DGS10"]',
            '["other.column"]',
            "nominal_10y_pct: key 'derived_from': 'other.column' does not exist",
        ),
        ('key = ["as_of_date"]', 'key = ["date"]', "yields: key 'date' is not among the columns"),
        ('key = ["as_of_date"]', 'key = ["nominal_10y_pct"]', "yields: key 'nominal_10y_pct' is nullable"),
        ('name = "nominal_10y_pct"', 'name = "as_of_date"', "yields: column 'as_of_date' is declared twice"),
        ('unit = "percent"\n', "", "yields: column nominal_10y_pct: missing key 'unit'"),
        ('"Nominal 10-year yield"', '"Yield"', "yields: column nominal_10y_pct: key 'definition': "),
        ('type = "DOUBLE"', 'type = "FLOAT"', "yields: column nominal_10y_pct: key 'type': "),
        (
            '["DGS10"]',
            '["DGS10"]\nrepeats = [{ series = ["VIXCLOSE"] }]',
            "nominal_10y_pct: key 'repeats': 'VIXCLOSE' does not exist (did you mean 'VIXCLS'?)",
        ),
        (
            '["DGS10"]',
            '["DGS10"]\nrepeats = [{ series = ["DGS10"], where = { part = "a" } }]',
            "column 'nominal_10y_pct': key 'repeats': no column 'part'",
        ),
        (
            '["DGS10"]',
            '["DGS10"]\nrepeats = [{ where = { as_of_date = "a" } }]',
            "key 'repeats': give series (and where), or named_by alone",
        ),
        (
            "nullable = true",
            'nullable = false\nrepeats = [{ series = ["DGS10"] }]',
            "key 'repeats': what is withheld is NULL, so the column is a nullable DOUBLE",
        ),
    ],
)
def test_wrong_table_is_refused(root: Path, edit: Edit, old: str, new: str, complaint: str) -> None:
    edit("tables/yields.toml", old, new)
    message = _refusal(root)
    assert message.startswith("assets/catalog/tables/yields.toml: ")
    assert complaint in message
