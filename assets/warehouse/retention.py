"""Which releases are kept: the newest nights, every first publication of a month-end, every change of label or method.

Belongs here: the rule. Does not belong here: making a release (`release_folder.py`), the books of all publications,
which outlive the folders (`ledger.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assets.warehouse.release_folder import releases, withdraw

NIGHTS = 14
DESCRIPTOR = "datapackage.json"


@dataclass(frozen=True)
class Kept:
    """What decides whether a release is kept, as its descriptor says it."""

    release_id: str
    profile: str
    label: str
    method_version: str
    new_month_ends: int


def superfluous(found: Sequence[Kept], published_id: str) -> list[str]:
    """Releases nobody needs any more; `found` is oldest first. The published one is always kept."""
    newest = {kept.release_id for kept in found[-NIGHTS:]} | {published_id}
    before: dict[str, Kept] = {}
    gone = []
    for kept in found:
        last = before.get(kept.profile)
        changed = last is None or (last.label, last.method_version) != (kept.label, kept.method_version)
        before[kept.profile] = kept
        if not changed and kept.new_month_ends == 0 and kept.release_id not in newest:
            gone.append(kept.release_id)
    return gone


def prune(published: Path, published_id: str) -> list[str]:
    """Remove the superfluous releases; their identifiers. A folder that does not describe itself is left alone."""
    found = [kept for folder in releases(published) if (kept := _read(folder)) is not None]
    gone = superfluous(found, published_id)
    for release_id in gone:
        withdraw(published, release_id)
    return gone


def _read(folder: Path) -> Kept | None:
    try:
        said = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))
        return Kept(
            folder.name,
            said["regime:profile"],
            said["regime:label"],
            said["regime:method_version"],
            said["regime:new_month_ends"],
        )
    except (OSError, ValueError, KeyError):
        return None
