"""Folders that are made once for a whole test session, also when the tests run in several processes.

TESTS_MADE_ONCE names a directory that several sessions share, as those of the build server do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder made once for all processes the tests run in; whoever comes first makes it, the others wait."""
    shared = os.environ.get("TESTS_MADE_ONCE")
    if shared is None and "PYTEST_XDIST_TESTRUNUID" not in os.environ:  # all tests in this process
        folder = factory.mktemp(name)
        make(folder)
        return folder
    folder = Path(shared or factory.getbasetemp().parent) / name
    made = folder.with_name(f"{name}.made")  # no rename: what is made may know its own path
    with FileLock(f"{folder}.lock"):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # another process failed to make it
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
