"""Every block of code on every page: run here, run by the test named for it, or left out with its reason."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from assets.warehouse.connection import CONFIG
from pipelines import __main__ as command_line
from tests.integration.conftest import Night
from tests.integration.test_readme import PAGES, ROOT
from tests.nightly_run import new_installation

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
COMMAND = ".venv/bin/python -m pipelines "

# Run by the test of their page.
ELSEWHERE = {
    ("docs/analysts.md", "python"): "tests/integration/test_analysts_page.py",
    ("docs/analysts.md", "sql"): "tests/integration/test_analysts_page.py",
    ("docs/analysts.md", "sh"): "tests/integration/test_analysts_page.py",
    ("docs/examples.md", "sql"): "tests/integration/test_examples.py",
    ("docs/extending.md", "toml"): "tests/integration/test_extending.py",
    ("docs/extending.md", "python"): "tests/integration/test_extending.py",
    ("docs/extending.md", "diff"): "tests/integration/test_extending.py",
    ("docs/ui.md", "sh"): "tests/integration/test_dagster_tools.py",
    ("docs/ui.md", "yaml"): "tests/integration/test_run_config.py",
    ("README.md", "text"): "tests/integration/test_readme.py",
}
# Not run: the language, or how the line begins, and why.
NOT_RUN = {
    "r": "R is not among the tools of this project",
    "caddy": "the configuration of another program",
    "nginx": "the configuration of another program",
    "yaml": "a launcher for another cluster; of docs/ui.md see above",
    "json": "a line of Dagster's own log",
    "sudo ": "changes the machine",
    "docker ": "needs a Docker daemon; test_deploy.py lets compose check the file where it is installed",
    "ssh ": "needs another machine",
    "git ": "needs the copy this one was made from",
    "make ": "starts set-up, a run, the interface or the tests; test_readme.py checks that the target exists",
    COMMAND + "watch": "needs a receiver; test_alerts.py has one",
    COMMAND + "site": "needs a whole release; test_site.py has one",
}


class Block(NamedTuple):
    """A fenced block and its page."""

    page: str
    language: str
    text: str


def blocks() -> list[Block]:
    return [
        Block(page.relative_to(ROOT).as_posix(), language, text)
        for page in PAGES
        for _, language, text in FENCE.findall(page.read_text("utf-8"))
    ]


BLOCKS = blocks()
QUERIES = [b for b in BLOCKS if b.language == "sql" and (b.page, "sql") not in ELSEWHERE]
SHELL = sorted({b.page for b in BLOCKS if b.language == "sh" and (b.page, "sh") not in ELSEWHERE})


def commands(page: str) -> list[str]:
    """Commands a page shows, without comments."""
    text = "".join(b.text for b in BLOCKS if (b.page, b.language) == (page, "sh"))
    stripped = (re.sub(r"\s#\s.*$", "", line).strip() for line in text.splitlines())
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
