"""What the pages show works: every block is run here, run by the test named for it, or left out with its reason.

Commands, links, automation and messages that a page names exist.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from assets.report.published import Release
from assets.warehouse.connection import CONFIG
from pipelines import __main__ as command_line
from pipelines.__main__ import build_parser
from pipelines.definitions import defs
from pipelines.published_verdict import summary_lines
from pipelines.release_file import open_published
from tests.integration.conftest import Night
from tests.nightly_run import ROOT, new_installation

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
COMMAND = ".venv/bin/python -m pipelines "
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
SHOWN = re.compile(r"\.venv/bin/python -m pipelines ([^#`\n]+)")
TARGET = re.compile(r"^(?:\s*)make ([a-z-]+)", re.MULTILINE)

# Run by the test of their page.
ELSEWHERE = {
    ("docs/analysts.md", "python"): "tests/integration/test_analysts_page.py",
    ("docs/analysts.md", "sql"): "tests/integration/test_analysts_page.py",
    ("docs/analysts.md", "sh"): "tests/integration/test_analysts_page.py",
    ("docs/examples.md", "sql"): "tests/integration/test_examples.py",
    ("docs/extending.md", "toml"): "tests/integration/test_extending.py",
    ("docs/extending.md", "python"): "tests/integration/test_extending.py",
    ("docs/extending.md", "diff"): "tests/integration/test_extending.py",
    ("docs/ui.md", "sh"): "tests/integration/test_dagster.py",
    ("docs/ui.md", "yaml"): "tests/integration/test_dagster.py",
    ("README.md", "text"): "tests/integration/test_page_blocks.py",
}
# Not run: the language, or how the line begins, and why.
NOT_RUN = {
    "r": "R is not among the tools of this project",
    "caddy": "the configuration of another program",
    "nginx": "the configuration of another program",
    "yaml": "a launcher for another cluster; of docs/ui.md see above",
    "json": "a line of Dagster's own log",
    "sudo ": "changes the machine",
    "docker ": "needs a Docker daemon",
    "ssh ": "needs another machine",
    "git ": "needs the copy this one was made from",
    "make ": "starts set-up, a run, the interface or the tests; a test below checks that the target exists",
    COMMAND + "watch": "needs a receiver; test_alerts.py has one",
    COMMAND + "site": "needs a whole release; test_site.py has one",
}


class Block(NamedTuple):
    """A fenced block and its page."""

    page: str
    language: str
    text: str


BLOCKS = [
    Block(page.relative_to(ROOT).as_posix(), language, text)
    for page in PAGES
    for _, language, text in FENCE.findall(page.read_text("utf-8"))
]
QUERIES = [b for b in BLOCKS if b.language == "sql" and (b.page, "sql") not in ELSEWHERE]
SHELL = sorted({b.page for b in BLOCKS if b.language == "sh" and (b.page, "sh") not in ELSEWHERE})


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of a page in a language."""
    shown = (page.relative_to(ROOT).as_posix(), language)
    return [block.text for block in BLOCKS if (block.page, block.language) == shown]


def commands(page: str) -> list[str]:
    """Commands a page shows, without comments."""
    lines = "".join(blocks(ROOT / page, "sh")).splitlines()
    stripped = (re.sub(r"\s#\s.*$", "", line).strip() for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]


def test_every_block_has_a_language_and_is_run_or_has_a_reason() -> None:
    assert [b for b in BLOCKS if not b.language] == []
    known = {"sql", "sh", *NOT_RUN}
    assert [b for b in BLOCKS if b.language not in known and (b.page, b.language) not in ELSEWHERE] == []


def test_no_exception_outlives_its_block() -> None:
    kinds = {(b.page, b.language) for b in BLOCKS}
    assert set(ELSEWHERE) - kinds == set()
    for (page, _), test in ELSEWHERE.items():
        assert Path(page).stem in (ROOT / test).read_text("utf-8"), f"{test} does not read {page}"
    shown = [line for page in SHELL for line in commands(page)] + [b.language for b in BLOCKS]
    assert [beginning for beginning in NOT_RUN if not any(s.startswith(beginning) for s in shown)] == []


def test_every_query_shown_runs(made_release: Path) -> None:
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        for block in QUERIES:
            con.execute(block.text).fetchall()


@pytest.fixture
def installation(installed_night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with a published file, and a new Dagster history."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    if not (tmp_path / "data").exists():
        (tmp_path / "data").symlink_to(installed_night.published.parents[1])
    monkeypatch.setenv("DAGSTER_HOME", new_installation(tmp_path).environment["DAGSTER_HOME"])
    return tmp_path


@pytest.mark.parametrize("page", SHELL)
def test_every_command_shown_ends_well(
    page: str,
    installation: Path,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In the order of the page, so that what a backup printed can be restored."""
    printed, disk = "", str(tmp_path_factory.mktemp("other-disk"))
    for line in commands(page):
        if line.startswith(tuple(NOT_RUN)):
            continue
        arguments = shlex.split(line.replace("/mnt/other-disk", disk))
        if line.startswith(COMMAND):
            if arguments[3] == "restore":
                arguments[4] = printed
            assert command_line.main(arguments[3:]) == 0, (line, capsys.readouterr().err)
        else:
            done = subprocess.run(
                line, shell=True, cwd=installation, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0 and done.stdout, (line, done.stderr)
        printed = capsys.readouterr().out.strip()


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
    for command in SHOWN.findall(text):
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
