"""The dependencies, audited as far as that goes without a network: the lock, what is installed, and its licences.

Advisories and withdrawn versions are known only to a package index (docs/security.md shows how to query one).
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.contract.repository import ROOT

_PERMISSIVE = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla Public|Zlib|CC0|NCSA)\b"
)
# Licences that are unclear or less permissive, and why each may stay.
_CHECKED_BY_HAND = {
    "fredapi": "Apache 2.0 in its repository; its metadata names none",
    "axe-playwright-python": "MIT in its repository; a test tool, not shipped",
    "psycopg2-binary": "LGPL: an unmodified library, loaded only where history is kept in Postgres",
    "text-unidecode": "Artistic or GPL, ours to choose; of a test tool, not shipped",
}


def locked() -> list[Requirement]:
    text = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    return [Requirement(line.rstrip(" \\")) for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]


def installed() -> dict[str, Distribution]:
    """By name; the first one found is the one imported."""
    found: dict[str, Distribution] = {}
    for package in distributions():
        found.setdefault(canonicalize_name(package.name), package)
    return found


def test_no_package_is_locked_twice_for_one_machine_and_none_is_a_pre_release() -> None:
    here = [r for r in locked() if r.marker is None or r.marker.evaluate()]
    names = [canonicalize_name(r.name) for r in here]
    assert sorted(names) == sorted(set(names))
    versions = {r.name: next(iter(r.specifier)) for r in locked()}
    assert {name for name, one in versions.items() if one.operator != "=="} == set()
    assert {name for name, one in versions.items() if Version(one.version).is_prerelease} == set()


def test_what_is_installed_is_what_is_locked_and_nothing_it_needs_is_missing() -> None:
    """As `pip check` does, without a process: every requirement of every package is there in a version it accepts."""
    there, wrong = installed(), []
    for r in locked():
        name = canonicalize_name(r.name)
        if (r.marker is None or r.marker.evaluate()) and (
            name not in there or not r.specifier.contains(there[name].version)
        ):
            wrong.append(f"{r} is locked, installed is {there[name].version if name in there else 'none'}")
    for package in there.values():
        for needed in map(Requirement, package.requires or []):
            name = canonicalize_name(needed.name)
            if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
                continue
            if name not in there or not needed.specifier.contains(there[name].version, prereleases=True):
                wrong.append(f"{package.name} needs {needed}")
    assert wrong == []


def test_every_licence_is_permissive_or_has_a_reason() -> None:
    names = {canonicalize_name(r.name) for r in locked()}
    unclear = {
        name: text
        for name, package in installed().items()
        if name in names and not _PERMISSIVE.search(text := licence(package))
    }
    assert unclear.keys() - _CHECKED_BY_HAND.keys() == set(), unclear
    assert _CHECKED_BY_HAND.keys() - names == set(), "no longer locked: remove it"


def licence(package: Distribution) -> str:
    """The licence in a package's metadata: expression, classifiers, or the first line of a text."""
    metadata = package.metadata
    classifiers = [line for line in metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    text = (metadata.get("License") or "").strip().splitlines()[:1]
    return metadata.get("License-Expression") or "; ".join(classifiers) or "".join(text)
