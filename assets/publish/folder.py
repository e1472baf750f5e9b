"""Folders of releases: `releases/<release_id>/`, complete, hashed, read-only, and the copies beside the published file.

Belongs here: making a folder final, putting a release's files in place, finishing or removing what a killed run left.
Does not belong here: what the files say (`assets/publish/documents`), which releases are kept (`retention.py`).

A folder gets its name only after the swap of the published file, so that what stands in `releases` was published.
Files at the top are copies, not links: whoever writes into one, as root for instance, damages no release.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assets.warehouse.connection import READ_BY_ALL, make_public, sync

READ_ONLY = 0o444


SUMS = "SHA256SUMS"


_UNFINISHED = ".unfinished"


def releases_folder(published: Path) -> Path:
    """Where the releases of a published file stand."""
    return published.with_name("releases")


def releases(published: Path) -> list[Path]:
    """Folders of the releases, oldest first."""
    folder = releases_folder(published)
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def begin(published: Path, release_id: str) -> Path:
    """A new, empty folder to be filled with a release."""
    folder = _unfinished(published, release_id)
    shutil.rmtree(folder, ignore_errors=True)
    make_public(folder.parent)
    make_public(folder)
    return folder


def files_of(folder: Path) -> list[str]:
    """Every file of a release but its list of hashes, by path relative to it, sorted."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != SUMS)


def sha256_of(path: Path) -> str:
    """Hash of a file's content. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sums_text(folder: Path) -> str:
    """The list of hashes as `sha256sum --check` reads it."""
    return "".join(f"{sha256_of(folder / name)}  {name}\n" for name in files_of(folder))


def read_sums(folder: Path) -> dict[str, str]:
    """Hash by path, as the release lists it; empty when it has no list. Raises OSError, ValueError."""
    if not (folder / SUMS).is_file():
        return {}
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def damaged(folder: Path) -> list[str]:
    """Files that are not as the release lists them: changed, missing, or added. Its list alone when it has none."""
    try:
        sums = read_sums(folder)
    except (OSError, ValueError):
        sums = {}
    if not sums:
        return [SUMS]
    there = files_of(folder)
    wrong = [name for name in there if name not in sums or sha256_of(folder / name) != sums[name]]
    return sorted([*wrong, *(name for name in sums if name not in there)])


def seal(folder: Path, before: Path | None) -> None:
    """The hashes, a hard link for each file the release before has alike, read-only bits, everything on disk."""
    (folder / SUMS).write_text(sums_text(folder), encoding="utf-8")
    for name in (*files_of(folder), SUMS):
        path = folder / name
        same = before / name if before is not None else None
        if same is not None and same.is_file() and filecmp.cmp(path, same, shallow=False):
            _link(same, path)
            continue
        path.chmod(READ_ONLY)
        sync(path)
    for place in {(folder / name).parent for name in files_of(folder)} | {folder}:
        place.chmod(READ_BY_ALL)  # whatever made it
        sync(place)


def finish(published: Path, release_id: str) -> None:
    """The filled folder of a release gets its name; nothing when there is none. Raises OSError."""
    folder = _unfinished(published, release_id)
    if folder.is_dir():
        os.replace(folder, releases_folder(published) / release_id)
        sync(releases_folder(published))


def put_beside(published: Path, release_id: str) -> None:
    """Copy a release's files beside the published file, which is not touched; its list of hashes goes last.

    What the release before had and this one has not is removed. Nothing without such a release. Raises OSError.
    """
    release, place = releases_folder(published) / release_id, published.parent
    sums = read_sums(release)
    if not sums or ((place / SUMS).is_file() and filecmp.cmp(place / SUMS, release / SUMS, shallow=False)):
        return
    before = read_sums(place)
    for name, digest in sums.items():
        path = place / name
        if name != published.name and not (before.get(name) == digest and path.is_file()):
            _copy(release / name, path)
    for name in before.keys() - sums.keys():
        (place / name).unlink(missing_ok=True)
    _copy(release / SUMS, place / SUMS)


def heal(published: Path, release_id: str | None) -> None:
    """Finish what a run killed after the swap left undone, and remove what one killed before it left.

    `release_id` is what the published file says of itself, None without one. Raises OSError.
    """
    if release_id is not None:
        left = _unfinished(published, release_id)
        if left.is_dir() and not damaged(left):
            finish(published, release_id)
    remove(releases_folder(published).glob(f".*{_UNFINISHED}"))
    if release_id is not None:
        put_beside(published, release_id)


def abandon(published: Path, release_id: str) -> None:
    """Remove the folder of a release that is not to be published."""
    remove([_unfinished(published, release_id)])


def withdraw(published: Path, release_id: str) -> None:
    """Remove a release. A run killed meanwhile leaves nothing that looks like one. Raises OSError."""
    os.replace(releases_folder(published) / release_id, _unfinished(published, release_id))
    abandon(published, release_id)


def remove(folders: Iterable[Path]) -> None:
    """Remove folders of releases, whole; what is already gone is no fault."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _unfinished(published: Path, release_id: str) -> Path:
    return releases_folder(published) / f".{release_id}{_UNFINISHED}"


def _link(same: Path, path: Path) -> None:
    """`path` becomes another name of the file `same`; stays what it is where links are not to be had."""
    beside = path.with_name(f".{path.name}.link")
    try:
        os.link(same, beside)
    except OSError:
        path.chmod(READ_ONLY)
        return
    os.replace(beside, path)


def _copy(source: Path, target: Path) -> None:
    make_public(target.parent)
    beside = target.with_name(f".{target.name}.tmp")
    beside.unlink(missing_ok=True)
    shutil.copyfile(source, beside)
    beside.chmod(READ_ONLY)
    os.replace(beside, target)


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
