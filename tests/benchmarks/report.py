"""Results of the measurements: stored in docs/benchmarks.json, shown in docs/benchmarks.md.

Each measurement replaces its own section, with its date and machine, so that a part can be measured again alone.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from collections.abc import Sequence
from typing import Any

import psutil

from tests.benchmarks.vintages import ROOT

Cell = str | float | int
DOCS = ROOT / "docs"
_HEAD = """# Measurements

What the project costs its users, measured by `make bench` (`tests/benchmarks`).
"""


def record(title: str, text: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Store one section and write the page again. `text` describes the measurement, `columns` name cells with units."""
    file = DOCS / "benchmarks.json"
    sections: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    memory = psutil.virtual_memory().total / 2**30
    sections[title] = {
        "measured": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}",
        "text": text,
        "columns": list(columns),
        "rows": [list(row) for row in rows],
    }
    file.write_text(json.dumps(sections, indent=1, sort_keys=True) + "\n", "utf-8")
    (DOCS / "benchmarks.md").write_text(page(sections), "utf-8")


def page(sections: dict[str, dict[str, Any]]) -> str:
    """The page of all sections, in alphabetical order."""
    return "\n".join([_HEAD, *(_section(title, sections[title]) for title in sorted(sections))])


def _section(title: str, found: dict[str, Any]) -> str:
    lines = [
        f"## {title}",
        found["text"],
        "",
        _line(found["columns"]),
        _line(["---"] * len(found["columns"])),
    ]
    lines += [_line([_cell(value) for value in row]) for row in found["rows"]]
    return "\n".join([*lines, "", f"Measured {found['measured']} on {found['machine']}.", ""])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(value: Cell) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else value
