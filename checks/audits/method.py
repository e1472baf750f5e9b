"""The method audit: the parameters in use are those pinned for their version.

Belongs here: the rule and its frame. Does not belong here: the parameters, the list of versions (`assets/catalog`).
"""

from __future__ import annotations

import pandas as pd

from assets.catalog.models import Catalog
from checks.suites.measures import flag
from checks.suites.rules import Suite, never

TYPES = {
    "method_version": "VARCHAR",
    "method_sha256": "VARCHAR",
    "pinned_version": "VARCHAR",
    "pinned_sha256": "VARCHAR",
}


def method_suite() -> Suite:
    """Rule on the frame `method_in_force` gives."""
    rule = never(
        "method_sha256__pinned",
        tuple(TYPES),
        lambda f, _: flag(
            (f["method_version"] != f["pinned_version"]) | (f["method_sha256"] != f["pinned_sha256"])
        ),
        statement="version and hash of the parameters are those of the newest entry of method_versions.toml",
        what_to_do="A parameter was changed. Undo it, or raise method_version in method.toml and add an entry with the "
        "hash, the day and a note to assets/catalog/method_versions.toml.",
    )
    return Suite("method", ("method_version",), TYPES, (rule,))


def method_in_force(catalog: Catalog) -> pd.DataFrame:
    """One row: version and hash of the parameters in use beside the pinned ones."""
    pinned = catalog.method_versions[-1]
    method = catalog.method
    row = (method.method_version, method.method_sha256, pinned.method_version, pinned.method_sha256)
    return pd.DataFrame([row], columns=list(TYPES))
