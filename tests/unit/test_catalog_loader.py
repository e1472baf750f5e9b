"""A wrong declaration stops the load in one line that names the file, the entry and the key."""

from __future__ import annotations

import shutil
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


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose catalogue may be spoiled; its tables are one, written by the test."""
    source, target = PROJECT_ROOT / "assets" / "catalog", tmp_path / "assets" / "catalog"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.py", "tables", "__pycache__"))
    (target / "tables").mkdir()
    (target / "tables" / "yields.toml").write_text(TABLE)
    return tmp_path


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


# file, text replaced, its replacement, what the message says after the file
@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("series/rates.toml", 'unit = "Percent"\n', "", "DGS10: missing key 'unit'"),
        ("series/rates.toml", 'unit = "Percent"\n', 'untis = "Percent"\n',
            "DGS10: unknown key 'untis' (did you mean 'unit'?)"),
        ("series/rates.toml", "plausible_max = 20.0", "plausible_max = -20.0",
            "DGS10: key 'plausible_min': must be below plausible_max"),
        ("series/gold.toml", "[GOLD_WB_MONTHLY]", '[GOLD_WB_MONTHLY]\ngroup = "rates"',
            "GOLD_WB_MONTHLY: unknown key 'group' (the file gives it)"),
        ("series/gold.toml", "[GOLD_WB_MONTHLY]", "[GOLD_WB_MONTHLY", "not valid TOML: "),
        ("method.toml", "weight_return = 0.175", "weight_return = 0.245",
            "method: valuation: section 'valuation': weights sum to 1.07, not 1"),
        ("release_delays.toml", 'series_id = "UNRATE"', 'series_id = "UNRTAE"',
            "delay UNRTAE 1995-12-01: key 'series_id': 'UNRTAE' does not exist (did you mean 'UNRATE'?)"),
        ("release_delays.toml", 'series_id = "PAYEMS"', 'series_id = "UNRATE"',
            "delay UNRATE 1995-12-01: key 'observation_date': already has a row"),
        ("release_delays.toml", "released_on = 1996-01-19, ", "",
            "delay UNRATE 1995-12-01: key 'released_on': give a date, or never = true"),
        ("policy_events.toml", "last_checked = 2026-09-30", "", "top level: missing key 'last_checked'"),
        ("policy_events.toml", "announced_on = 2008-11-25", "announced_on = 2009-11-25",
            "event 2009-11-25: key 'effective_on': before the announcement"),
        ("policy_events.toml", "announced_on = 2009-03-18", "announced_on = 2007-03-18",
            "event 2007-03-18: key 'announced_on': out of order"),
        ("policy_events.toml", "direction = 1\n", "",
            "event 2008-11-25: key 'direction': required for a balance-sheet event"),
        ("method_versions.toml", "in_force_since = 2026-09-17", "in_force_since = 2036-09-17", "version "),
        ("tables/yields.toml", '["DGS10"]', '["DGS01"]',
            "nominal_10y_pct: key 'derived_from': 'DGS01' does not exist"),
        ("tables/yields.toml", '["DGS10"]', '["yields.nominal_10y_pct"]',
            "nominal_10y_pct: key 'derived_from': names itself"),
        ("tables/yields.toml", 'key = ["as_of_date"]', 'key = ["date"]',
            "yields: key 'date' is not among the columns"),
        ("tables/yields.toml", 'key = ["as_of_date"]', 'key = ["nominal_10y_pct"]',
            "yields: key 'nominal_10y_pct' is nullable"),
        ("tables/yields.toml", 'name = "nominal_10y_pct"', 'name = "as_of_date"',
            "yields: column 'as_of_date' is declared twice"),
        ("tables/yields.toml", '["DGS10"]', '["DGS10"]\nrepeats = [{ series = ["VIXCLOSE"] }]',
            "nominal_10y_pct: key 'repeats': 'VIXCLOSE' does not exist (did you mean 'VIXCLS'?)"),
        ("tables/yields.toml", '["DGS10"]',
            '["DGS10"]\nrepeats = [{ series = ["DGS10"], where = { part = "a" } }]',
            "yields: column 'nominal_10y_pct': key 'repeats': no column 'part'"),
        ("tables/yields.toml", '["DGS10"]', '["DGS10"]\nrepeats = [{ where = { as_of_date = "a" } }]',
            "yields: column nominal_10y_pct: key 'repeats': give series (and where), or named_by alone"),
        ("tables/yields.toml", "nullable = true", 'nullable = false\nrepeats = [{ series = ["DGS10"] }]',
            "yields: column nominal_10y_pct: key 'repeats': what is withheld is NULL, so the column is a nullable"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_named_by_file_entry_and_key(
    root: Path, file: str, old: str, new: str, complaint: str
) -> None:
    path = root / "assets" / "catalog" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert _refusal(root).startswith(f"assets/catalog/{file}: {complaint}")


def test_series_in_two_files_is_refused(root: Path) -> None:
    folder = root / "assets" / "catalog" / "series"
    (folder / "zz_more.toml").write_text((folder / "gold.toml").read_text())
    expected = "assets/catalog/series/zz_more.toml: GOLD_WB_MONTHLY: already declared in gold.toml"
    assert _refusal(root) == expected


def test_missing_file_is_named(root: Path) -> None:
    (root / "assets/catalog/method.toml").unlink()
    assert _refusal(root) == "assets/catalog/method.toml: file is missing"
