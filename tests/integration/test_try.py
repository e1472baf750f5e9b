"""`try`: an own method next to ours, from the published figures; the data directory stays as it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from assets.catalog.loader import CatalogError, load_catalog, load_own_method
from pipelines import __main__ as command_line
from tests.helpers import files_of
from tests.integration.conftest import Night

OWN = """
[state.bubble]
enter_score = 0.65
[stance]
rate_window_months = 9
[credit]
weight_spreads = 0.4
weight_nfci = 0.35
"""


@pytest.fixture
def data(installed_night: Night) -> Path:
    return installed_night.published.parents[1]


def test_months_are_relabelled_with_their_cause_and_nothing_is_written(
    data: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path_factory.mktemp("own") / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    before = files_of(data)
    assert command_line.main(["try", str(file), "--json"]) == 0
    printed = capsys.readouterr()
    assert files_of(data) == before
    assert "4 parameters differ" in printed.err
    rows = {row["as_of_date"]: row for row in json.loads(printed.out)}
    assert len(rows) > 20 and all(
        row["cause"] and row["regime"] != row["regime_own"] for row in rows.values()
    )
    by_part = {
        part: [r["cause"] for r in rows.values() if r["changed_part"] == part]
        for part in ("stance", "condition")
    }
    assert all("9 months" in cause and "6 months" in cause for cause in by_part["stance"])
    assert any("state.bubble.enter_score >= 0.65" in cause for cause in by_part["condition"])
    assert rows["2019-08-31"]["regime"] == "stimulus_mid_cycle" and "unchanged" in rows["2019-08-31"]["cause"]


def test_our_own_method_relabels_nothing_and_gives_the_published_labels(
    data: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path_factory.mktemp("own") / "own.toml"
    file.write_text(f"[state.bubble]\nenter_score = {load_catalog().method.state.bubble.enter_score}\n")
    assert command_line.main(["try", str(file)]) == 0
    out = capsys.readouterr().out
    assert "0 of 501 month-ends have another label" in out and "no parameter differs" in out


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[state.buble]\nenter_score = 0.6", "unknown key 'buble' (did you mean 'bubble'?)"),
        ("[credit]\nweight_nfci = 0.9", "weights sum to"),
        ("[state.bubble]\nenter_score = 2.0", "enter_score"),
        ("[state.bubble\n", "not valid TOML"),
        ("state = 3", "state"),
    ],
)
def test_a_wrong_file_is_one_line_naming_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError, match=re.escape(named)) as error:
        load_own_method(file)
    assert "own.toml" in str(error.value) and "\n" not in str(error.value)


def test_a_missing_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], data: Path) -> None:
    assert command_line.main(["try", str(tmp_path / "nosuch.toml")]) == 2
    assert "nosuch.toml: file is missing" in capsys.readouterr().err
