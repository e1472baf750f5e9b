"""`docs/evidence.md` has the figures of the real files, where they are next to the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs._generate.evidence import PAGE, page


def test_the_page_has_the_figures_of_the_real_files(realdata: Path) -> None:
    if not (realdata / "outside" / "JSTdatasetR6.csv").exists():
        pytest.skip("the data set of countries is not next to the project")
    assert PAGE.read_text(encoding="utf-8") == page(realdata)
