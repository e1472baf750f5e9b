"""The list of parameters at the end of `docs/methodology.md`, written by `python -m docs._generate.methodology`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from assets.catalog.loader import PROJECT_ROOT, load_catalog

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


if __name__ == "__main__":
    PAGE.write_text(with_parameters(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
