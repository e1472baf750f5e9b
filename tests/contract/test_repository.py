"""What is tracked: no place of one machine, a lock that fixes everything, documents that tell the truth."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.contract import repository
from tests.contract.repository import PACKAGES, ROOT

# in pieces, so that this file does not name what it looks for
REGISTRIES = re.compile("|".join((r"py" r"pi\.org", r"python" r"hosted\.org", r"registry\.npm" r"js")))
HOMES = re.compile("|".join((r"/home" r"/\w", r"/Users" r"/\w", r"(?<![\w.])/root" r"/")))
VARIABLE = re.compile(r"^(?:FRED_[A-Z_]+|REGIME_[A-Z_]+|[A-Z_]+_URL|DAGSTER_HOME)$")
TEXT_LIMIT = 2_000_000


def text_of(path: Path) -> str:
    file = ROOT / path
    if file.stat().st_size > TEXT_LIMIT:
        return ""
    return file.read_bytes().decode("utf-8", errors="ignore")


def documents() -> list[Path]:
    return [path for path in repository.files() if path.suffix == ".md"]


@pytest.mark.parametrize("pattern", [REGISTRIES, HOMES], ids=["registry hosts", "home directories"])
def test_no_tracked_file_names(pattern: re.Pattern[str]) -> None:
    found = {str(path): hit.group() for path in repository.files() if (hit := pattern.search(text_of(path)))}
    assert found == {}


def pins(name: str) -> dict[str, str]:
    """Package -> version of every `name==version` line."""
    lines = text_of(Path(name)).splitlines()
    found = [re.match(r"([A-Za-z0-9_.-]+)==([^\s;\\]+)", line) for line in lines]
    return {hit[1].lower().replace("_", "-"): hit[2] for hit in found if hit}


INPUTS = ("requirements.in", "requirements-dev.in")
LOCKS = ("requirements.lock", "requirements-dev.lock")


@pytest.mark.parametrize("name", INPUTS)
def test_every_requirement_is_pinned_with_a_reason(name: str) -> None:
    lines = [line for line in text_of(Path(name)).splitlines() if line and not line.startswith(("#", "-r "))]
    assert [line for line in lines if not re.match(r"[a-z0-9_-]+==\S+(\s*;[^#]+)?\s+# \S", line)] == []


@pytest.mark.parametrize("name", LOCKS)
def test_lock_holds_the_pins_and_a_hash_for_everything(name: str) -> None:
    wanted = pins("requirements.in") | (pins("requirements-dev.in") if "dev" in name else {})
    locked = pins(name)
    assert {package: locked.get(package) for package in wanted} == wanted
    entries = re.split(r"\n(?=[A-Za-z0-9])", text_of(Path(name)))
    assert [entry.split("\n")[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text_of(Path(name))


def test_tests_run_on_the_versions_that_users_install() -> None:
    product, tested = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: tested.get(name) for name in product} == product


def test_scripts_are_valid_and_executable() -> None:
    scripts = [p for p in repository.files() if p.suffix == ".sh" or p.parts[0] == ".ci"]
    for script in scripts:
        assert (ROOT / script).stat().st_mode & 0o100, f"{script} is not executable"
        done = subprocess.run(["bash", "-n", str(ROOT / script)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_documents_mention_only_paths_that_exist() -> None:
    top = {path.parts[0] for path in repository.files()}
    missing = []
    for document in documents():
        is_superseded = "**Superseded by [" in text_of(
            document
        )  # a record of what was: its files may be gone
        mentions = re.findall(r"`([\w.*-]+(?:/[\w.*-]+)*/?)`", text_of(document))
        for mention in [] if is_superseded else mentions:
            path = mention.rstrip("/")
            if mention.split("/")[0] in top and "/" in mention and not list(ROOT.glob(path)):
                missing.append(f"{document}: {mention}")
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text_of(document)):
            if "://" not in target and not (ROOT / document.parent / target).exists():
                missing.append(f"{document}: {target}")
    assert missing == []


def test_documents_mention_only_targets_make_has() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(Path("Makefile")), flags=re.M))
    mentioned = {
        (str(document), name)
        for document in documents()
        for name in re.findall(r"(?:`|^\s*)make ([a-z-]+)", text_of(document), flags=re.M)
    }
    assert {entry for entry in mentioned if entry[1] not in targets} == set()


def test_every_variable_is_documented() -> None:
    """`.env.example` and the code know the same environment variables."""
    documented = set(re.findall(r"^#?\s*([A-Z_]+)=", text_of(Path(".env.example")), flags=re.M))
    used = set()
    for path in repository.modules(*PACKAGES):
        used |= {word for word in re.findall(r'"([A-Z_]+)"', text_of(path)) if VARIABLE.match(word)}
    assert used - documented == set()


def test_changes_are_noted_in_the_form_the_release_gathers() -> None:
    notes = [p for p in repository.files() if p.parts[0] == "changes" and p.name != "README.md"]
    pattern = r"[a-z0-9-]+\.(breaking|added|changed|fixed|removed)\.md"
    assert [str(note) for note in notes if not re.fullmatch(pattern, note.name)] == []
