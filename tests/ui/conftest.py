"""The interface as an operator starts it: one published run, then `deploy/ui.sh` on a free port, and a browser."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from docs._generate.picture import BROWSERS, FLAGS
from tests.faults.sample_mutations import rows
from tests.nightly_run import NightlyRun

ROOT = Path(__file__).resolve().parents[2]
UNRATE = "sample_data/UNRATE.csv"
_ROOMS = ("assets", "checks", "deploy", "pipelines", "sample_data")
_READY_SECONDS = 90
expect.set_options(timeout=60_000)  # a busy machine takes many seconds to load the events of a run


@dataclass(frozen=True)
class Interface:
    """A served interface over a separate data directory."""

    url: str
    data_dir: Path
    process: subprocess.Popen[str]

    def ask(self, query: str, **variables: Any) -> Any:
        """Response of the interface's GraphQL."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            found = json.load(response)
        assert "errors" not in found, found
        return found["data"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment_in(folder: Path) -> dict[str, str]:
    """Environment of an installation with data and history in `folder`."""
    home = folder / "dagster_home"
    home.mkdir(exist_ok=True)
    shutil.copyfile(ROOT / "dagster_home" / "dagster.yaml", home / "dagster.yaml")
    return {**os.environ, "DAGSTER_HOME": str(home), "REGIME_DATA_DIR": str(folder / "data")}


def start_ui(environ: dict[str, str], port: int, log: Path, root: Path = ROOT) -> subprocess.Popen[str]:
    with log.open("w") as out:
        return subprocess.Popen(
            [root / "deploy" / "ui.sh"],
            env={**environ, "PORT": str(port)},
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def wait_until_served(url: str, process: subprocess.Popen[str], log: Path) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/server_info", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise AssertionError(f"not served after {_READY_SECONDS} s:\n{log.read_text()}")


@contextmanager
def served(night: NightlyRun, root: Path) -> Iterator[Interface]:
    """Webserver and daemon over a data directory and its history; `root` is the project they load."""
    port, log = free_port(), night.folder / "ui.log"
    process, url = start_ui(night.environment, port, log, root), f"http://127.0.0.1:{port}"
    try:
        wait_until_served(url, process, log)
        yield Interface(url, night.data_dir, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


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
    with served(night, project) as interface:
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
    with opened(browser, interface) as page:
        yield page


def keep(page: Page, path: Path) -> None:
    """A screenshot of what the test has seen; the page polls, so it never becomes idle for certain."""
    page.wait_for_timeout(1500)  # dialogues fade in
    page.screenshot(path=path)


@contextmanager
def opened(browser: Browser, interface: Interface) -> Iterator[Page]:
    """A page that may reach this interface only, and whose console must stay free of errors."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000}, base_url=interface.url)
    foreign: list[str] = []
    errors: list[str] = []
    own = (interface.url, interface.url.replace("http", "ws", 1), "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(own) else foreign.append(r.url))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(30_000)
    yield page
    page.close()
    assert foreign == []
    assert errors == []
