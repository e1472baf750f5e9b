"""Outside references whose file the user brings: read from the folder `outside` of the data directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from assets.catalog.models import Catalog
    from assets.catalog.outside import BroughtFile
    from assets.run_facts import RunFacts


def brought_files(catalog: Catalog, facts: RunFacts) -> dict[str, pd.Series]:
    """Monthly figures by reference, of the files that exist. Raises ValueError, one line, for another shape."""
    folder = facts.published_path.parents[1] / "outside"
    files = {name: entry.file for name, entry in catalog.outside_references.items() if entry.file}
    return {
        name: _monthly(folder / file.name, file)
        for name, file in files.items()
        if (folder / file.name).is_file()
    }


def _monthly(path: Path, file: BroughtFile) -> pd.Series:
    """The column by first day of the month, ascending; a month without a figure is missing."""
    try:
        rows = pd.read_csv(path)
        days = pd.to_datetime(rows[["year", "month"]].assign(day=1))
        figures = pd.Series(pd.to_numeric(rows[file.column]).to_numpy(dtype="float64"), days).sort_index()
    except (KeyError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"outside/{path.name}: not a table with the columns year, month and {file.column} ({reason}): replace it, "
            "or remove it to run without this reference"
        ) from None
    if not figures.index.is_unique:
        raise ValueError(f"outside/{path.name}: a month is there twice: replace the file, or remove it")
    return figures
