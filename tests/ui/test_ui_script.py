"""`deploy/ui.sh`: a new history, both processes, one end, and one line when it cannot begin."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.interface import free_port, start_ui, wait_until_served
from tests.nightly_run import ROOT, new_installation

pytestmark = [pytest.mark.ui, pytest.mark.timeout(180)]


def ended(process: subprocess.Popen[bytes], log: Path, interrupt: Callable[[], None]) -> str:
    """The log of an interface that was interrupted: every process is gone, and nothing looks like a crash."""
    started = psutil.Process(process.pid).children(recursive=True)
    commands = " ".join(" ".join(child.cmdline()) for child in started)
    interrupt()
    process.wait(timeout=30)
    _, left = psutil.wait_procs(started, timeout=5)
    assert [child.cmdline() for child in left] == []
    text = log.read_text()
    assert not any(word in text for word in ("Traceback", "Aborted", "alembic")), text
    assert text.endswith("\nui: stopped\n"), text
    return commands


def test_interrupt_ends_webserver_daemon_and_code_server(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "ui.log"
    process = start_ui(new_installation(tmp_path).environment, port, log)
    wait_until_served(f"http://127.0.0.1:{port}", process, log)
    until = time.monotonic() + 60
    while "Started Dagster code server" not in log.read_text() and time.monotonic() < until:
        time.sleep(0.2)
    commands = ended(process, log, lambda: process.send_signal(signal.SIGINT))
    assert "dagster-webserver" in commands and "dagster-daemon" in commands


def test_an_interrupt_while_it_is_loading_prints_nothing_that_looks_like_a_crash(tmp_path: Path) -> None:
    log = tmp_path / "ui.log"
    process = start_ui(new_installation(tmp_path).environment, free_port(), log)
    while "Starting Dagster code server" not in log.read_text():
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    time.sleep(1)  # it imports the pipeline now
    ended(process, log, lambda: os.killpg(process.pid, signal.SIGINT))  # as a terminal does


def refused(tmp_path: Path, **variables: str) -> str:
    done = subprocess.run(
        [ROOT / "deploy" / "ui.sh"],
        env={**new_installation(tmp_path).environment, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_a_taken_port_and_a_home_without_configuration_are_refused_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        message = refused(tmp_path, PORT=port)
    assert (
        message.count("\n") == 1 and f"port {port}: Address already in use" in message and "PORT=" in message
    )
    (tmp_path / "empty").mkdir()
    message = refused(tmp_path, PORT=str(free_port()), DAGSTER_HOME=str(tmp_path / "empty"))
    assert message.count("\n") == 1 and "dagster.yaml" in message
