"""What the page on security promises, as far as the tree shows it: who can reach what, and what is never done."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import yaml

from tests.contract import repository
from tests.contract.repository import ROOT

PRODUCT = ("assets", "checks", "pipelines")
CODE = [path for path in repository.files() if path.suffix not in {".md", ".lock", ".csv"}]
# The one module of the product that parses XML itself: FRED's answers, after refusing document types.
PARSES_XML = {"assets/sources/fred_client.py"}
UNSAFE_CALLS = {"eval", "exec", "compile", "pickle.load", "pickle.loads", "marshal.loads", "yaml.load",
                "os.system", "os.popen", "tempfile.mktemp"}  # fmt: skip


def text_of(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="ignore")


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
    for path in repository.modules(*PRODUCT):
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
    for path in repository.modules(*PRODUCT):
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
