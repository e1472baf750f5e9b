"""Rules of `regime_nightly`: what was said each night still makes sense by itself.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration. Rows of earlier
methods stay for ever, so nothing here depends on the parameters in force.
"""

from __future__ import annotations

from assets.catalog.models import Catalog
from checks.suites.labels import label_rules
from checks.suites.rules import Rule

TABLE = "regime_nightly"
# thresholds and weights may have been others when the row was written
_OF_ANY_METHOD = ("regime", "stance", "stance_realised", "stance_driver", "bubble_score", "coverage")


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """The rules within one row that hold under every version of the method."""
    return tuple(rule for rule in label_rules(catalog) if rule.column_name in _OF_ANY_METHOD)
