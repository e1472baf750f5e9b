"""The interface as an operator starts it: one published run, then `deploy/ui.sh` on a free port, and a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from docs._generate.picture import BROWSERS, FLAGS
from tests.faults.test_mutations import rows
from tests.interface import Interface, free_port, served, start_ui
from tests.nightly_run import ROOT, NightlyRun

UNRATE = "sample_data/UNRATE.csv"
_ROOMS = ("assets", "checks", "deploy", "pipelines", "sample_data")
expect.set_options(timeout=60_000)  # a busy machine takes many seconds to load the events of a run


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the newest unemployment rate is negative."""
    root = tmp_path_factory.mktemp("project")
    for room in _ROOMS:
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements.lock", "workspace.yaml"):
        shutil.copyfile(ROOT / name, root / name)
    (root / ".venv").symlink_to(ROOT / ".venv")
    negative(root)
    return root


def negative(project: Path) -> None:
    """Make the newest unemployment rate of a copy of the project negative, which its reader refuses."""
    rows("UNRATE", lambda lines: [*lines[:-1], (lines[-1][0], "-4.3")])(project / "sample_data")


@pytest.fixture(scope="session")
def interface(
    project: Path, nightly_run: NightlyRun, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Interface]:
    """Webserver and daemon for all tests, over a published run of the project and a blocked one of that copy."""
    night = nightly_run.copied(tmp_path_factory.mktemp("interface"))
    command = [sys.executable, "-m", "pipelines", "run"]
    done = subprocess.run(command, cwd=project, env=night.environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    port, log = free_port(), night.folder / "ui.log"
    process = start_ui(night.environment, port, log, project)
    with served(process, port, night.data_dir, log) as interface:
        yield interface


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail(f"no browser: one of {', '.join(BROWSERS)} is needed on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: UI_SCREENSHOTS, to look at them, else a temporary folder."""
    kept = os.environ.get("UI_SCREENSHOTS")
    place = Path(kept) if kept else tmp_path_factory.mktemp("shots")
    place.mkdir(parents=True, exist_ok=True)
    return place


@pytest.fixture
def page(browser: Browser, interface: Interface) -> Iterator[Page]:
    """A page of the interface."""
    own = (interface.url, interface.url.replace("http", "ws", 1), "blob:")
    with opened(browser, own, 1600, 1000, base_url=interface.url) as page:
        page.set_default_timeout(30_000)
        yield page


def keep(page: Page, path: Path) -> None:
    """A screenshot of what the test has seen; the page polls, so it never becomes idle for certain."""
    page.wait_for_timeout(1500)  # dialogues fade in
    page.screenshot(path=path)


@contextmanager
def opened(browser: Browser, own: tuple[str, ...], width: int, height: int, **options: Any) -> Iterator[Page]:
    """A page that may request only what is its own, and whose console must stay free of errors."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    page, problems = context.new_page(), list[str]()
    page.on("request", lambda r: None if r.url.startswith((*own, "data:")) else problems.append(r.url))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []
