"""Old words that the project no longer uses: none is in a page, a declaration or a text of the product."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from assets.catalog.loader import load_catalog
from assets.compute.record import MAY_CHANGE
from checks.archive import LARGEST_JUMP, USUAL_REVISION, raw_suite
from checks.audits.immutability import immutability_suite
from checks.audits.of_release import method_suite, rights_suite, schema_suite
from checks.audits.recompute import CUTS, recompute_suite
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


def test_no_text_uses_an_old_word() -> None:
    pattern = re.compile(rf"\b({'|'.join(OLD_WORDS)})\b", re.IGNORECASE)
    found = [(str(p), pattern.findall(texts(p))) for p in repository.files() if is_read_by_users(p)]
    assert [(path, words) for path, words in found if words] == []


# ---- what the pages on checks and audits say by name and number is what the code does

CHECKS = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
AUDITS = (ROOT / "docs" / "audits.md").read_text(encoding="utf-8")


def test_rules_named_in_the_pages_exist() -> None:
    recomputation = recompute_suite(load_catalog())
    audits = (schema_suite(), immutability_suite(), method_suite(), recomputation, rights_suite())
    suites = (raw_suite(), *audits)
    known = {rule.name for suite in suites for rule in suite.rules}
    named = set(re.findall(r"`([a-z0-9_]+__[a-z_]+)`", CHECKS + AUDITS))
    assert named >= {"fetch_status__not_refused", "method_sha256__pinned"}
    assert named - known - {"column__property"} == set()


def test_numbers_in_the_pages_are_those_of_the_code() -> None:
    assert f"more than {LARGEST_JUMP:g} times the largest" in CHECKS
    assert USUAL_REVISION == 5 and "five usual changes" in CHECKS
    assert CUTS == 3 and "the run date and two month-ends" in AUDITS
    assert all(f"`{name}`" in AUDITS for name in MAY_CHANGE)
