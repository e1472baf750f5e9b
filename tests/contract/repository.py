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
    """One imported dotted name. `is_deferred`: inside a function, or `is_for_types`, for the type checker only."""

    name: str
    line: int
    is_deferred: bool
    is_for_types: bool


def imports(path: Path) -> list[Import]:
    """Everything a module imports; `from a.b import c` counts as `a.b.c`, which begins with `a.b`."""
    return list(_walk(tree(path), path, is_deferred=False, is_for_types=False))


def _walk(node: ast.AST, path: Path, *, is_deferred: bool, is_for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            origin = f"{_origin(child, path)}." if isinstance(child, ast.ImportFrom) else ""
            for alias in child.names:
                yield Import(origin + alias.name, child.lineno, is_deferred or is_for_types, is_for_types)
        else:
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            is_typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            yield from _walk(
                child,
                path,
                is_deferred=is_deferred or is_function,
                is_for_types=is_for_types or is_typing,
            )


def _origin(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return node.module or ""
    return ".".join([*path.parts[: -node.level], *([node.module] if node.module else [])])
