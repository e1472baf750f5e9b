"""Folders that are made once for a whole test session, also when the tests run in several processes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder made once for all processes the tests run in; whoever comes first makes it, the others wait."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:  # all tests in this process
        folder = factory.mktemp(name)
        make(folder)
        return folder
    folder = factory.getbasetemp().parent / name
    made = folder.with_name(f"{name}.made")  # no rename: what is made may know its own path
    with FileLock(f"{folder}.lock"):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # another process failed to make it
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
