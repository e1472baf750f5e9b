"""What is tracked: no place of one machine, a lock that fixes everything, documents that tell the truth, and what the
page on security promises as far as the tree shows it.

Advisories and withdrawn versions are known only to a package index (docs/security.md shows how to query one).
"""

from __future__ import annotations

import ast
import re
import subprocess
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
import yaml

from tests.contract import repository
from tests.contract.repository import PACKAGES, ROOT

# in pieces, so that this file does not name what it looks for
REGISTRIES = re.compile("|".join((r"py" r"pi\.org", r"python" r"hosted\.org", r"registry\.npm" r"js")))
HOMES = re.compile("|".join((r"/home" r"/\w", r"/Users" r"/\w", r"(?<![\w.])/root" r"/")))
VARIABLE = re.compile(r"^(?:FRED_[A-Z_]+|REGIME_[A-Z_]+|[A-Z_]+_URL|DAGSTER_HOME)$")
TEXT_LIMIT = 2_000_000
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
CODE = [path for path in repository.files() if path.suffix not in {".md", ".lock", ".csv"}]
# The one module of the product that parses XML itself: FRED's answers, after refusing document types.
PARSES_XML = {"assets/sources/fred_client.py"}
UNSAFE_CALLS = {"eval", "exec", "compile", "pickle.load", "pickle.loads", "marshal.loads", "yaml.load",
                "os.system", "os.popen", "tempfile.mktemp"}  # fmt: skip


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


def test_every_licence_is_permissive_or_has_a_reason() -> None:
    names = pins("requirements-dev.lock").keys()
    unclear = {
        name: text
        for package in distributions()
        if (name := package.name.lower().replace("_", "-")) in names
        and not _PERMISSIVE.search(text := licence(package))
    }
    assert unclear.keys() - _CHECKED_BY_HAND.keys() == set(), unclear
    assert _CHECKED_BY_HAND.keys() - names == set(), "no longer locked: remove it"


def licence(package: Distribution) -> str:
    """The licence in a package's metadata: expression, classifiers, or the first line of a text."""
    metadata = package.metadata
    classifiers = [line for line in metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    text = (metadata.get("License") or "").strip().splitlines()[:1]
    return metadata.get("License-Expression") or "; ".join(classifiers) or "".join(text)


def test_webserver_is_bound_to_this_machine_wherever_it_is_started() -> None:
    started = {}
    for path in CODE:
        for line in text_of(path).splitlines():
            if re.search(r"dagster-webserver\b.*\s-w\b", line.replace(",", " ")) and path.parts[0] != "tests":
                bound = re.search(r"-h[,\s]+([0-9.]+)", line)
                started[str(path)] = bound[1] if bound else None
    assert started.pop("deploy/compose.yaml") == "0.0.0.0"  # inside its own network, see below
    assert len(started) >= 2
    assert set(started.values()) == {"127.0.0.1"}, started


def test_containers_open_no_port_beyond_this_machine() -> None:
    services = yaml.safe_load(text_of(Path("deploy/compose.yaml")))["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports and all(str(port).startswith("127.0.0.1:") for port in ports), ports
    assert not any("network_mode" in service for service in services.values())


def test_only_freds_answers_are_parsed_without_defusedxml() -> None:
    parsing = re.compile(
        r"(ET|ElementTree|etree|minidom|sax|expat)\.(fromstring|parse|iterparse|XML|parseString)"
    )
    found = set()
    for path in repository.modules(*PACKAGES):
        calls = [
            ast.unparse(node.func) for node in ast.walk(repository.tree(path)) if isinstance(node, ast.Call)
        ]
        if any(parsing.search(call) for call in calls):
            found.add(path.as_posix())
    assert found == PARSES_XML


def test_workbooks_are_parsed_by_defusedxml() -> None:
    import openpyxl
    from openpyxl.xml.functions import fromstring, iterparse

    assert openpyxl.DEFUSEDXML and not openpyxl.LXML
    assert {fromstring.__module__, iterparse.__module__} == {"defusedxml.common"}


def test_no_text_is_run_and_no_certificate_goes_unchecked() -> None:
    found = []
    for path in repository.modules(*PACKAGES):
        for node in ast.walk(repository.tree(path)):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if name in UNSAFE_CALLS or options.get("shell") == "True" or options.get("verify") == "False":
                found.append(f"{path}:{node.lineno} {name}")
    assert found == []


def test_no_command_takes_a_secret_as_an_argument() -> None:
    options = re.findall(
        r'add_argument\(\s*"([^"]+)"', "".join(text_of(p) for p in repository.modules("pipelines"))
    )
    assert options
    assert [option for option in options if re.search(r"key|secret|password|token", option)] == []


def test_no_key_is_in_the_tree_and_none_can_be_added_by_accident() -> None:
    key = re.compile(r"(?<![0-9a-f])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{32}(?![0-9a-f])")
    found = {
        str(path): hit.group()
        for path in CODE
        if path.parts[0] != "tests" and (hit := key.search(text_of(path)))
    }
    assert found == {}
    if (ROOT / ".git").exists():
        done = subprocess.run(["git", "check-ignore", ".env"], cwd=ROOT, capture_output=True, text=True)
        assert done.stdout == ".env\n"


def test_nothing_is_installed_without_its_hash() -> None:
    installs = re.findall(r"pip (?:install|sync)[^\n]*(?:\\\n[^\n]*)*", text_of(Path("deploy/setup.sh")))
    assert installs
    assert [line for line in installs if '-r "$lock"' in line and "--require-hashes" not in line] == []
    assert any("--require-hashes" in line for line in installs)
