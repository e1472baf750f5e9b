"""Old words that the project no longer uses: none is in a page, a declaration or a text of the product."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.contract import repository
from tests.contract.repository import PACKAGES, ROOT

# Each has a plain equivalent and no technical meaning here.
OLD_WORDS = (
    "argues with",
    "arguing with",
    "headway",
    "held the publication",
    "holds the publication",
    "judged",
    "judges",
    "judging",
    "nothing to judge",
    "not so in",
    "publication is held",
    "stands beside",
    "the books",
    "thereof",
)


def texts(path: Path) -> str:
    """What a reader sees of a file: the strings of a module, or the whole of any other text."""
    if path.suffix != ".py":
        return (ROOT / path).read_text(encoding="utf-8")
    nodes = ast.walk(repository.tree(path))
    return "\n".join(n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))


def is_read_by_users(path: Path) -> bool:
    if path.parts[0] == "tests" or path.name == "CHANGELOG.md":
        return False
    return path.suffix == ".md" or path.parts[0] in (*PACKAGES, "deploy")


@pytest.mark.parametrize("word", OLD_WORDS)
def test_no_text_uses_an_old_word(word: str) -> None:
    pattern = re.compile(rf"\b{word}\b", re.IGNORECASE)
    found = [str(p) for p in repository.files() if is_read_by_users(p) and pattern.search(texts(p))]
    assert found == []
