"""The list of parameters at the end of `docs/methodology.md`, written by `python -m docs._generate.methodology`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.report import policy_sentence as words

PAGE = PROJECT_ROOT / "docs" / "methodology.md"
HEADING = "## All parameters\n"
_QUOTED = re.compile(r"`([a-z_]+(?:\.[a-z_0-9]+)*)` = (\[[^\]]*\]|[-+\d.]*\d)(?![\d-])")


def parameters() -> dict[str, object]:
    """Every parameter by its dotted name."""
    return dict(_leaves("", load_catalog().method.model_dump()))


def _leaves(prefix: str, values: dict[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


def shown(value: object) -> str:
    """A parameter as the page writes it."""
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(shown, value)) + "]"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def quoted(text: str) -> list[tuple[str, str]]:
    """Name and value of every parameter the text quotes."""
    return _QUOTED.findall(text)


def with_parameters(text: str) -> str:
    """The page with the list of parameters as they are now."""
    lines = [f"| `{name}` | {shown(value)} |" for name, value in parameters().items()]
    start = text.index(HEADING) + len(HEADING)
    intro = text[start:].split("\n|")[0].rstrip()
    return f"{text[:start]}{intro}\n\n| parameter | value |\n|---|---|\n" + "\n".join(lines) + "\n"


def decision_table() -> list[tuple[str, str, str]]:
    """Subject, value and words of every row, as `docs/methodology.md` shows them."""
    limits = tuple(map(words.share_words, words.Policy.limits_pct))
    groups: list[tuple[str, Mapping[Any, str]]] = [
        ("direction (`stance`)", words.DIRECTION),
        ("set by (`stance_driver`)", {**words.DRIVER, "none": f"{words.UNCHANGED}; or {words.OFFSETTING}"}),
        *((f"level (`policy_level`) under {stance}", words) for stance, words in words.LEVEL.items()),
        ("balance sheet (`balance_sheet_test`)", words.BALANCE_SHEET),
        ("reserves (`reserves_test`)", words.RESERVES),
        ("reserves, same result", words.SAME),
        ("share of new debt (`monetisation_band`)", {k: v.format(*limits) for k, v in words.BAND.items()}),
        ("share of new debt near a limit", {"any band": words.AT_LIMIT.format(limits[0])}),
        ("coordination (`is_coordinated`)", words.COORDINATION),
    ]
    return [
        (subject, "NULL" if value is None else str(value).lower(), words)
        for subject, rows in groups
        for value, words in rows.items()
    ]


if __name__ == "__main__":
    PAGE.write_text(with_parameters(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
