"""The layout of the code: which room may import which, no import circle, and what a room must not use."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract import repository
from tests.contract.repository import PACKAGES, ROOT

UPSTREAM = {
    "assets",
    "assets.catalog",
    "assets.compute",
    "assets.progress",
    "assets.run_facts",
    "assets.warehouse",
}
CHECKING = {
    "checks.rules",
    "checks.tables",
    "checks.series",
    "checks.audits",
    "checks.runner",
    "checks.results",
}

# Room -> the other rooms it may import. The longest name that fits decides where a module lives, so `assets`
# is what is directly in that folder: glue all asset layers share.
MAY_IMPORT = {
    "assets.catalog": set[str](),
    "assets.progress": set[str](),  # how anything logs a line while it works
    "assets.run_facts": {"assets.catalog"},
    "assets.compute": {"assets.catalog"},
    "assets.sources": {"assets.catalog", "assets.compute", "assets.progress", "assets.sources.protocol"},
    "assets.sources.protocol": {"assets.catalog", "assets.compute", "assets.sources"},
    "assets.warehouse": {
        "assets.catalog",
        "assets.compute",
        "assets.progress",
        "assets.run_facts",
        "assets.sources.protocol",  # the shapes of what was fetched
    },
    "assets": {"assets.catalog", "assets.progress", "assets.run_facts", "assets.warehouse", "assets.report"},
    "assets.raw": UPSTREAM | {"assets.sources", "assets.sources.protocol"},
    "assets.computed": UPSTREAM,
    "assets.report": {
        "assets.warehouse"
    },  # the published file is all it knows; how a file is queried is there
    "assets.publish": UPSTREAM | CHECKING | {"assets.report"},  # it checks the staged file itself
    "checks.rules": set[str](),
    "checks.tables": UPSTREAM - {"assets"} | {"checks.rules"},
    "checks.series": UPSTREAM - {"assets"} | CHECKING | {"checks"},
    "checks.audits": UPSTREAM - {"assets"}
    | {"checks", "checks.results", "checks.rules", "checks.runner", "checks.tables"},
    "checks.runner": UPSTREAM - {"assets"} | {"checks", "checks.rules"},
    "checks.results": UPSTREAM - {"assets"} | {"checks", "checks.rules", "checks.runner"},
    "checks": UPSTREAM - {"assets"} | CHECKING,
    "pipelines": set[str](),  # imports them all, and is imported by none
}

HEAVY = {"dagster", "duckdb", "fredapi", "great_expectations", "requests"}
# compute is pure: what it would need for a connection, the environment, a clock or the network
IMPURE = {*HEAVY, "http", "httpx", "os", "socket", "subprocess", "time", "urllib"}
CLOCKS = {"now", "today", "utcnow"}
LONGEST_FILE = 500


def room_of(dotted: str) -> str | None:
    inside = [room for room in MAY_IMPORT if dotted == room or dotted.startswith(f"{room}.")]
    return max(inside, key=len, default=None)


def name_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def run_python(code: str) -> list[str]:
    """The words a fresh interpreter started in the root prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_every_package_has_an_init_with_a_docstring_only_and_every_module_a_docstring() -> None:
    modules = repository.modules(*PACKAGES)
    assert [str(path) for path in modules if not ast.get_docstring(repository.tree(path))] == []
    inits = {path.parent / "__init__.py" for path in modules}
    assert [str(path) for path in sorted(inits) if not (ROOT / path).is_file()] == []
    assert [str(path) for path in sorted(inits) if len(repository.tree(path).body) != 1] == []


def test_imports_go_one_way() -> None:
    wrong = []
    for path in repository.modules("assets", "checks"):
        room = room_of(name_of(path))
        assert room is not None
        for entry in repository.imports(path):
            other = room_of(entry.name)
            if other not in {None, room, *MAY_IMPORT[room]}:
                wrong.append(f"{path}:{entry.line} imports {entry.name}")
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside functions count too: they only hide a circle. Imports for the type checker do not run."""
    names = {name_of(path) for path in repository.modules(*PACKAGES)}
    imported = {
        name_of(path): {
            module
            for entry in repository.imports(path)
            if not entry.is_for_types
            for module in (entry.name, entry.name.rpartition(".")[0])
            if module in names - {name_of(path)}
        }
        for path in repository.modules(*PACKAGES)
    }
    while True:  # drop every module that imports none of the rest, or that none of the rest imports
        used = {other for others in imported.values() for other in others}
        circle = {m: others & imported.keys() for m, others in imported.items() if m in used}
        circle = {m: others for m, others in circle.items() if others}
        if circle == imported:
            break
        imported = circle
    assert {module: sorted(others) for module, others in circle.items()} == {}


def test_no_two_files_of_one_name_mean_different_things() -> None:
    folders: dict[str, set[str]] = {}
    for path in repository.modules(*PACKAGES):
        folders.setdefault(path.name, set()).add(path.parent.as_posix())
    several = {name for name, found in folders.items() if len(found) > 1}
    assert several == {"__init__.py"}


def test_no_module_imports_tests_private_names_of_dagster_or_great_expectations_at_its_top() -> None:
    """A private name may change with a patch release of Dagster; Great Expectations takes seconds to load."""
    wrong = []
    for path in repository.modules(*PACKAGES):
        for entry in repository.imports(path):
            package = entry.name.split(".")[0]
            if (
                package == "tests"
                or (package == "great_expectations" and not entry.is_deferred)
                or (package.startswith("dagster") and "._" in entry.name)
            ):
                wrong.append(f"{path}:{entry.line} imports {entry.name}")
        text = (ROOT / path).read_text(encoding="utf-8")
        wrong += [f"{path}: {hit}" for hit in re.findall(r"\b(?:dagster|dg)\._\w+", text)]
    assert wrong == []


def test_dagsters_configuration_names_no_code_of_ours() -> None:
    """A tool that loads the instance without the project on its path would fail."""
    for place in ("dagster_home/dagster.yaml", "deploy/dagster.postgres.yaml"):
        named = re.findall(r"^\s*module:\s*(\S+)", (ROOT / place).read_text("utf-8"), flags=re.M)
        assert [name for name in named if name.split(".")[0] in PACKAGES] == [], place


def test_compute_is_pure() -> None:
    wrong = []
    for path in repository.modules("assets"):
        if path.parts[1] != "compute":
            continue
        wrong += [
            f"{path}:{entry.line} imports {entry.name}"
            for entry in repository.imports(path)
            if entry.name.split(".")[0] in IMPURE
        ]
        for node in ast.walk(repository.tree(path)):
            name = ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and (name in CLOCKS or ast.unparse(node.func) == "open"):
                wrong.append(f"{path}:{node.lineno} reads the clock or a file")
    assert wrong == []


def test_nothing_reads_the_environment_at_import() -> None:
    wrong = []
    for path in repository.modules(*PACKAGES):
        for statement in repository.tree(path).body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If):
                continue
            if "os.environ" in ast.unparse(statement) or "getenv(" in ast.unparse(statement):
                wrong.append(f"{path}:{statement.lineno}")
    assert wrong == []


COMPUTE = [name_of(path) for path in repository.modules("assets") if path.parts[1] == "compute"]


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        (COMPUTE, HEAVY),
        (["pipelines.__main__"], {*HEAVY, "pandas", "numpy"}),
        (["pipelines.definitions"], {"great_expectations", "fredapi", "openpyxl", "xlrd"}),
    ],
    ids=["compute", "command line", "definitions"],
)
def test_nothing_heavy_is_loaded_through_other_modules(modules: list[str], heavy: set[str]) -> None:
    code = f"import importlib, sys; [importlib.import_module(n) for n in {modules}]; print(*sys.modules)"
    assert set(run_python(code)) & heavy == set()


def test_files_stay_short() -> None:
    code = [path for path in repository.files() if path.suffix in {".py", ".sql", ".sh"}]
    lengths = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in code}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}
