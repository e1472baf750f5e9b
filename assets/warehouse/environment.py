"""What a release is made with: Python, machine, packages and the lock, and what of it differs from an earlier release.

Belongs here: reading them, comparing them. Does not belong here: settings of a run (`pipelines/settings.py`).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

_SHOWN = 12


def python() -> str:
    """Version of Python."""
    return platform.python_version()


def machine() -> str:
    """Operating system and processor."""
    return f"{platform.system()} {platform.machine()}"


def packages() -> dict[str, str]:
    """Version of every installed package by name, sorted by name; the first one found is the one imported.

    Read off the names of the folders installers leave: reading what is in them takes as long as building the release.
    """
    found: dict[str, str] = {}
    for place in filter(os.path.isdir, sys.path):
        for entry in os.scandir(place):
            if entry.name.endswith(".dist-info"):
                name, _, version = entry.name.removesuffix(".dist-info").rpartition("-")
                found.setdefault(_canonical(name), version)
    return dict(sorted(found.items()))


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_sha256(root: Path) -> str | None:
    """Hash of requirements.lock; None without one."""
    lock = root / "requirements.lock"
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None


def drift(manifest: Mapping[str, Any], root: Path, code_version: str) -> list[str]:
    """What is different here from what the release was made with, one line each; nothing it does not state."""
    now = {
        "python_version": python(),
        "platform": machine(),
        "duckdb_version": duckdb.__version__,
        "lock_sha256": lock_sha256(root),
        "code_version": code_version,
    }
    lines = [f"{name}: {manifest[name]} -> {value}" for name, value in now.items() if manifest[name] != value]
    made = json.loads(manifest.get("packages") or "{}")
    return [*lines, *_listed(list(_moved(made)))]


def _moved(made: Mapping[str, str]) -> Iterator[str]:
    made = {_canonical(name): version for name, version in made.items()}
    here = packages() if made else {}
    for name in sorted(made.keys() | here.keys()):
        before, after = made.get(name, "absent"), here.get(name, "absent")
        if before != after:
            yield f"package {name}: {before} -> {after}"


def _listed(lines: list[str]) -> list[str]:
    more = len(lines) - _SHOWN
    return [*lines[:_SHOWN], f"and {more} more packages"] if more > 0 else lines
