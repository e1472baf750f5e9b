"""The exit status is that of the work, whatever streams and warnings the process was started with."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.process import ensure_home

ROOT = Path(__file__).resolve().parents[2]
COMMAND = f"{shlex.quote(sys.executable)} -m pipelines"


def shell(text: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", text],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_a_reader_that_leaves_changes_no_exit_status(tmp_path: Path) -> None:
    for command, status in (("settings", 0), ("show", 2)):
        done = shell(f"{COMMAND} {command} | true; exit ${{PIPESTATUS[0]}}", REGIME_DATA_DIR=str(tmp_path))
        assert done.returncode == status
        assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_output_that_finds_the_disk_full_is_no_success() -> None:
    done = shell(f"{COMMAND} settings >/dev/full")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "could not be written" in done.stderr


@pytest.mark.parametrize("signal", ["INT", "TERM", "HUP"])
def test_a_signal_handled_by_a_package_still_interrupts_and_nohup_is_respected(signal: str) -> None:
    code = (
        "from pipelines import process; process.begin(); import os, signal; "
        f"signal.signal(signal.SIGINT, lambda *_: None); os.kill(os.getpid(), signal.SIG{signal}); "
        "raise SystemExit(process.end(130 if process.is_interrupted() else 0))"
    )
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"
    assert shell(command).returncode == 130
    assert shell(f"trap '' HUP; {command}").returncode == (0 if signal == "HUP" else 130)


def test_a_user_without_a_home_directory_gets_one_for_packages_and_others_keep_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/as-it-was")
    ensure_home(tmp_path)
    assert os.environ["HOME"] == "/as-it-was"
    monkeypatch.setattr(os.path, "expanduser", lambda text: text)  # as without HOME and entry of the user
    ensure_home(tmp_path)
    assert os.environ["HOME"] == str(tmp_path)
