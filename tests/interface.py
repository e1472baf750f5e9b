"""Dagster's interface as an operator starts it, on a free port over a separate data directory and history."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.nightly_run import ROOT

_READY_SECONDS = 200


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


def start(command: Sequence[str | Path], environ: dict[str, str], log: Path) -> subprocess.Popen[str]:
    """The command in the project's root, its output in a file."""
    with log.open("w") as out:
        return subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=out, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )  # fmt: skip


def start_ui(environ: dict[str, str], port: int, log: Path, root: Path = ROOT) -> subprocess.Popen[str]:
    return start([root / "deploy" / "ui.sh"], {**environ, "PORT": str(port)}, log)


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
def served(process: subprocess.Popen[str], port: int, data_dir: Path, log: Path) -> Iterator[Interface]:
    """The interface of a process that was started, which ends with the block."""
    interface = Interface(f"http://127.0.0.1:{port}", data_dir, process)
    try:
        wait_until_served(interface.url, process, log)
        yield interface
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
