"""DuckDB of another version in a folder of its own, as analysts have it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def installed(requirement: str, place: Path) -> Path:
    """A package in a folder of its own; the test is skipped where no package index answers."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check",
         "--target", str(place), requirement],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"{requirement} cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
    return place
