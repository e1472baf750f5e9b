"""DuckDB of another version in a separate folder, as analysts have it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def installed(requirement: str, folder: Path) -> Path:
    """A package in a separate folder; the test is skipped where no package index responds."""
    uv = shutil.which("uv")  # an environment that uv made has no pip
    program = [uv, "pip"] if uv else [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    done = subprocess.run(
        [*program, "install", "--quiet", "--no-deps", "--target", str(folder), requirement],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"{requirement} cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
    return folder
