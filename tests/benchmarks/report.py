"""Results of the measurements: kept as data, shown as a page.

Belongs here: keeping and rendering. Does not belong here: measuring. Each measurement replaces its own section and
leaves the others, with its own day and machine, so that a part can be measured again alone.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

Cell = str | float | int
Record = Callable[[str, str, Sequence[str], Sequence[Sequence[Cell]]], None]
DOCS = Path(__file__).resolve().parents[2] / "docs"
_HEAD = """# Measurements

Made by `make bench`, with all engines in one run; times are the best of several. Ratios carry over to other machines
better than times. `tests/benchmarks` shows how each is measured.
"""


def record(title: str, text: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Keep one section and write the page again. `text` says what was done, `columns` name the cells with units."""
    file = DOCS / "benchmarks.json"
    sections = json.loads(file.read_text("utf-8")) if file.exists() else {}
    about = {"measured": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", "machine": _machine()}
    sections[title] = {**about, "text": text, "columns": list(columns), "rows": [list(row) for row in rows]}
    file.write_text(json.dumps(sections, indent=1, sort_keys=True) + "\n", "utf-8")
    (DOCS / "benchmarks.md").write_text(page(sections), "utf-8")


def page(sections: dict[str, dict[str, object]]) -> str:
    """The page of all sections, in alphabetical order."""
    return "\n".join([_HEAD, *(_section(title, sections[title]) for title in sorted(sections))])


def _section(title: str, found: dict[str, object]) -> str:
    columns, rows = found["columns"], found["rows"]
    assert isinstance(columns, list) and isinstance(rows, list)
    lines = [f"## {title}", str(found["text"]), "", _line(columns), _line(["---"] * len(columns))]
    lines += [_line([_cell(value) for value in row]) for row in rows]
    return "\n".join([*lines, "", f"Measured {found['measured']} on {found['machine']}.", ""])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(value: Cell) -> str:
    if isinstance(value, float) and value != value:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else value


def _machine() -> str:
    cores, memory = os.cpu_count(), psutil.virtual_memory().total / 2**30
    system, python = f"{platform.system()} {platform.machine()}", platform.python_version()
    return f"{system}, {cores} cores, {memory:.0f} GiB, Python {python}"
