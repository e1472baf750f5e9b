"""What the pages show works: queries, commands and links; automation and messages they name exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import duckdb
import pytest

from assets.report.published import Release
from assets.warehouse.connection import CONFIG
from pipelines.__main__ import build_parser
from pipelines.definitions import defs
from pipelines.published_verdict import open_published, summary_lines
from tests.integration.conftest import Night

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCED = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"\.venv/bin/python -m pipelines ([^#`\n]+)")
TARGET = re.compile(r"^(?:\s*)make ([a-z-]+)", re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in FENCED.findall(page.read_text("utf-8")) if found == language]


def test_every_query_of_the_readme_answers(night: Night) -> None:
    queries = blocks(ROOT / "README.md", "sql")
    assert len(queries) == 3
    with duckdb.connect(str(night.staged), read_only=True, config=CONFIG) as con:
        answers = [con.execute(query).fetchall() for query in queries]
    assert all(answers)
    assert answers[0][0][1] == "neutral_bubble"
    assert [row[0].isoformat() for row in answers[2]] == ["2025-08-01", "2025-07-01", "2025-06-01"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [found for found in LINK.findall(page.read_text("utf-8")) if "://" not in found]
    assert [found for found in targets if not (page.parent / found).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_shown_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    for command in COMMAND.findall(text):
        build_parser().parse_args(shlex.split(command))
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = {target for block in blocks(page, "sh") for target in TARGET.findall(block)}
    assert shown - known == set()


def test_the_verdict_shown_is_the_one_a_run_ends_with(night: Night) -> None:
    with open_published(night.staged) as con:
        printed = summary_lines(Release(con), night.published)
    (shown,) = blocks(ROOT / "README.md", "text")
    assert [line for line in shown.splitlines() if line not in printed] == []


def page_text(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def test_automation_named_is_automation_defined() -> None:
    defined = {item.name for item in [*(defs.schedules or []), *(defs.sensors or [])]}
    row = next(line for line in page_text("ui.md").splitlines() if "Automation:" in line)
    assert set(re.findall(r"`(\w+)`", row)) <= defined


def test_units_named_are_units_there() -> None:
    there = {path.stem for path in (ROOT / "deploy" / "systemd").iterdir()}
    assert (
        set(
            re.findall(
                r"\bstimulus-regime-(?:scheduler|webserver|watch|backup)\b", page_text("operations.md")
            )
        )
        == there
    )


def test_messages_quoted_are_messages_of_the_code() -> None:
    """Each quotation, up to its first figure or dots, stands in the code as it is."""
    code = " ".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text("utf-8"))
        for folder in ("assets", "checks", "pipelines")
        for path in (ROOT / folder).rglob("*.py")
    )
    table = page_text("operations.md").split("## When something is wrong")[1]
    quoted = [text.split("...")[0].strip() for text in re.findall(r'^\| "([^"]+)"', table, flags=re.M)]
    own = [text for text in quoted if not text.startswith("port")]
    assert len(own) >= 3 and [text for text in own if text.rstrip(": ") not in code] == []
