"""What the repository holds, for the contract tests: its files, its rooms and what each module imports."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("assets", "checks", "pipelines")


@cache
def files() -> tuple[Path, ...]:
    """Every file git tracks or would track, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(sorted(Path(name) for name in set(listed.split("\0")) if name and (ROOT / name).is_file()))


def modules(*packages: str) -> list[Path]:
    """Python files under the given top-level packages; all Python files when none is given."""
    return [path for path in files() if path.suffix == ".py" and (not packages or path.parts[0] in packages)]


@cache
def tree(path: Path) -> ast.Module:
    """Syntax tree of a file given relative to the root."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


@dataclass(frozen=True)
class Import:
    """One imported dotted name. `is_deferred`: inside a function, or for the type checker only."""

    name: str
    line: int
    is_deferred: bool


def imports(path: Path) -> list[Import]:
    """Everything a module imports; `from a.b import c` counts as `a.b.c`, which begins with `a.b`."""
    return list(_walk(tree(path), path, is_deferred=False))


def _walk(node: ast.AST, path: Path, is_deferred: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, is_deferred) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            origin = _origin(child, path)
            yield from (Import(f"{origin}.{alias.name}", child.lineno, is_deferred) for alias in child.names)
        else:
            yield from _walk(child, path, is_deferred or _defers(child))


def _origin(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return node.module or ""
    return ".".join([*path.parts[: -node.level], *([node.module] if node.module else [])])


def _defers(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return True
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
