"""What the pages on checks and audits say by name and number is what the code does."""

from __future__ import annotations

import re

from assets.catalog.loader import load_catalog
from assets.compute.record import MAY_CHANGE
from checks.audits.immutability import immutability_suite
from checks.audits.of_release import method_suite, rights_suite, schema_suite
from checks.audits.recompute import CUTS, recompute_suite
from checks.identities import IDENTITIES
from checks.suites.raw import LARGEST_JUMP, USUAL_REVISION, raw_suite
from tests.contract.repository import ROOT

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


def test_files_and_tables_named_in_the_pages_exist() -> None:
    paths = re.findall(r"`((?:assets|checks|tests)/[\w/.]+)`", CHECKS + AUDITS)
    assert len(paths) >= 5
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_relation_the_page_calls_a_tautology_is_not_checked() -> None:
    assert "T10YIE" in CHECKS
    assert not any("T10YIE" in identity.series for identity in IDENTITIES)
