"""Folders of releases: `releases/<release_id>/`, complete, hashed and read-only, and which of them are kept.

A folder gets its name only after the swap of the published file, so everything in `releases` was published. The files
next to the published one are copies, not links: writing into one, as root for instance, damages no release.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assets.warehouse.connection import READ_BY_ALL, make_public, sync

READ_ONLY = 0o444
SUMS = "SHA256SUMS"
NEWEST_KEPT = 14  # releases kept whatever they state
_DESCRIPTOR = "datapackage.json"
_UNFINISHED = ".unfinished"


def releases_folder(published: Path) -> Path:
    """The folder of all releases of a published file."""
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


def sha256_of(path: Path) -> str:
    """Hash of a file's content. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_sums(folder: Path) -> dict[str, str]:
    """Hash by path, as the release lists it; empty when it has no list. Raises OSError, ValueError."""
    if not (folder / SUMS).is_file():
        return {}
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def damaged(folder: Path) -> list[str]:
    """Files that differ from the release's list: changed, missing, or added. The list alone when there is none."""
    try:
        sums = read_sums(folder)
    except (OSError, ValueError):  # the list itself is damaged
        sums = {}
    if not sums:
        return [SUMS]
    found = _files(folder)
    wrong = [name for name in found if name not in sums or sha256_of(folder / name) != sums[name]]
    return sorted([*wrong, *(name for name in sums if name not in found)])


def seal(folder: Path, before: Path | None) -> None:
    """Finish a folder: hashes as `sha256sum --check` reads them, read-only bits, everything on disk.

    A file equal to the one of the previous release becomes a hard link to it.
    """
    files = _files(folder)
    sums = "".join(f"{sha256_of(folder / name)}  {name}\n" for name in files)
    (folder / SUMS).write_text(sums, encoding="utf-8")
    for name in (*files, SUMS):
        path = folder / name
        path.chmod(READ_ONLY)
        same = before / name if before is not None else None
        if same is not None and same.is_file() and filecmp.cmp(path, same, shallow=False):
            _link(same, path)
        sync(path)
    for place in {(folder / name).parent for name in files} | {folder}:
        place.chmod(READ_BY_ALL)  # whatever made it
        sync(place)


def finish(published: Path, release_id: str) -> None:
    """Give the filled folder of a release its name; nothing when there is none. Raises OSError."""
    folder = _unfinished(published, release_id)
    if folder.is_dir():
        os.replace(folder, releases_folder(published) / release_id)
        sync(releases_folder(published))


def abandon(published: Path, release_id: str) -> None:
    """Remove the folder of a release that is not to be published."""
    shutil.rmtree(_unfinished(published, release_id), ignore_errors=True)


def copy_to_top(published: Path, release_id: str) -> None:
    """Copy a release's files next to the published file, which is unchanged; the list of hashes goes last.

    What the previous release had and this one has not is removed. Nothing without such a release. Raises OSError.
    """
    release, top = releases_folder(published) / release_id, published.parent
    sums = read_sums(release)
    if not sums or ((top / SUMS).is_file() and filecmp.cmp(top / SUMS, release / SUMS, shallow=False)):
        return
    before = read_sums(top)
    for name, digest in sums.items():
        path = top / name
        if name != published.name and not (before.get(name) == digest and path.is_file()):
            _copy(release / name, path)
    for name in before.keys() - sums.keys():
        (top / name).unlink(missing_ok=True)
    _copy(release / SUMS, top / SUMS)


def heal(published: Path, release_id: str | None) -> None:
    """Finish what a run killed after the swap left undone, and remove what one killed before it left.

    `release_id` is that of the published file, None without one. Raises OSError.
    """
    if release_id is not None:
        left = _unfinished(published, release_id)
        if left.is_dir() and not damaged(left):
            finish(published, release_id)
    for folder in releases_folder(published).glob(f".*{_UNFINISHED}"):
        shutil.rmtree(folder, ignore_errors=True)
    if release_id is not None:
        copy_to_top(published, release_id)


@dataclass(frozen=True)
class Kept:
    """What decides whether a release is kept, from its descriptor."""

    release_id: str
    profile: str
    label: str
    method_version: str
    new_month_ends: int


def superfluous(found: Sequence[Kept], published_id: str) -> list[str]:
    """Releases to remove; `found` is oldest first.

    Kept are the newest, the published one, every first publication of a month-end and every change of label or method.
    """
    newest = {kept.release_id for kept in found[-NEWEST_KEPT:]} | {published_id}
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
    """Remove the superfluous releases; their identifiers. A folder without a readable descriptor is left alone."""
    found = [kept for folder in releases(published) if (kept := _described(folder)) is not None]
    gone = superfluous(found, published_id)
    for release_id in gone:  # renamed first: a run killed meanwhile leaves nothing that looks like a release
        os.replace(releases_folder(published) / release_id, _unfinished(published, release_id))
        abandon(published, release_id)
    return gone


def _described(folder: Path) -> Kept | None:
    names = ("profile", "label", "method_version", "new_month_ends")
    try:
        descriptor = json.loads((folder / _DESCRIPTOR).read_text(encoding="utf-8"))
        return Kept(folder.name, *(descriptor[f"regime:{name}"] for name in names))
    except (OSError, ValueError, KeyError):
        return None


def _files(folder: Path) -> list[str]:
    """Every file of a release but its list of hashes, by path relative to it, sorted."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != SUMS)


def _unfinished(published: Path, release_id: str) -> Path:
    return releases_folder(published) / f".{release_id}{_UNFINISHED}"


def _link(same: Path, path: Path) -> None:
    """`path` becomes another name of the file `same`; unchanged where the file system has no links."""
    link = path.with_name(f".{path.name}.link")
    try:
        os.link(same, link)
    except OSError:
        return
    os.replace(link, path)


def _copy(source: Path, target: Path) -> None:
    make_public(target.parent)
    part = target.with_name(f".{target.name}.tmp")
    part.unlink(missing_ok=True)
    shutil.copyfile(source, part)
    part.chmod(READ_ONLY)
    os.replace(part, target)
