"""The notebook of a release runs as it is shipped, and shows nothing that was not known on the chosen date."""

from __future__ import annotations

import datetime as dt
import io
import shutil
from contextlib import redirect_stdout
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from assets.publish.documents.examples import shipped
from pipelines import __main__ as command_line
from tests.integration.conftest import Night


@pytest.fixture(scope="module")
def notebook(made_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The app, in a folder with the published file."""
    folder = tmp_path_factory.mktemp("notebook")
    shutil.copyfile(made_release, folder / "regime.duckdb")
    (folder / "notebook.py").write_text(shipped("notebook.py"), encoding="utf-8")
    spec = spec_from_file_location("shipped_notebook", folder / "notebook.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app


def test_every_cell_runs_and_shows_the_values_of_the_file(notebook: Any) -> None:
    outputs, shown = notebook.run()
    assert len(outputs) >= 7
    text = " ".join(output.text for output in outputs if output is not None and hasattr(output, "text"))
    assert "Neutral bubble" in text and "SAMPLE DATA" in text and "warning" in text
    charts = shown["timeline"].to_dict()
    assert len(charts["vconcat"]) == 3
    assert len(shown["evidence"]) > 15 and {row["condition"] for row in shown["evidence"]} > {"valuation"}
    assert [row["phase"] for row in shown["phases"]][-1] == "today"
    assert len(shown["scenarios"]) == 3 and shown["relabelled"] is None


def test_the_months_an_own_method_labels_otherwise_are_shown(
    installed_night: Night, notebook: Any, tmp_path: Path
) -> None:
    """As `try --csv` writes them, next to the notebook."""
    (tmp_path / "own.toml").write_text("[state.bubble]\nenter_score = 0.65\n")
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert command_line.main(["try", str(tmp_path / "own.toml"), "--csv"]) == 0
    try_csv = Path(notebook._filename).with_name("try.csv") if notebook._filename else None
    assert try_csv is not None
    try_csv.write_text(printed.getvalue(), encoding="utf-8")
    try:
        _, shown = notebook.run()
    finally:
        try_csv.unlink()
    assert len(shown["relabelled"]) > 1 and set(shown["relabelled"]["changed_part"]) <= {"condition", "both"}


@pytest.mark.parametrize(
    ("day", "newest"),
    [("2025-11-05", "2025-08-01"), ("2008-11-25", "2008-10-01"), ("1985-01-05", "1984-11-01")],
)
def test_nothing_is_shown_that_was_not_known_on_the_date(notebook: Any, day: str, newest: str) -> None:
    on = dt.date.fromisoformat(day)
    chosen = {"on": SimpleNamespace(value=on), "series": SimpleNamespace(value="UNRATE")}
    _, shown = notebook.run(defs=chosen)
    assert shown["known"]["realtime_start"].max() <= pd.Timestamp(on)
    assert shown["newest"][0]["observation_date"].isoformat() == newest
