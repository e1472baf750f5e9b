"""Rules of `regime_revised`: the first run stands beside the second one unchanged, and every difference has a cause.

Belongs here: judgement on this table. Does not belong here: rules generated from its declaration.
"""

from __future__ import annotations

from assets.catalog.models import Catalog
from checks.suites.measures import beside, differs, distance, flag, only_where
from checks.suites.rules import Rule, identity, never, within

TABLE = "regime_revised"
_TOGETHER = "Materialise regime/regime and regime/regime_revised again: they come from different runs."
_AGAIN = "Look at assets/compute/diagnostics/revised.py."
_SAME = 1e-9


def rules(catalog: Catalog) -> tuple[Rule, ...]:
    """Agreement with `regime`, sums, causes."""
    return (
        never(
            "regime__as_in_regime",
            ("as_of_date", "regime", "regime.regime"),
            lambda f, t: differs(f["regime"], beside(f, t, "regime.regime")),
            statement="the label as known is the published one",
            what_to_do=_TOGETHER,
        ),
        within(
            "bubble_score__as_in_regime",
            ("as_of_date", "bubble_score", "regime.bubble_score"),
            lambda f, t: distance(f["bubble_score"], beside(f, t, "regime.bubble_score")),
            maximum=0,
            statement="the score as known is the published one",
            what_to_do=_TOGETHER,
        ),
        identity(
            "score_revision__is_the_difference",
            ("score_revision", "revised_score", "bubble_score"),
            lambda f, _: (f["score_revision"], f["revised_score"] - f["bubble_score"]),
            tolerance=1e-12,
            statement="the revision is the difference of the two scores",
            what_to_do=_AGAIN,
        ),
        never(
            "is_same_regime__as_compared",
            ("is_same_regime", "regime", "regime_revised"),
            lambda f, _: differs(f["is_same_regime"], f["regime"] == f["regime_revised"]),
            statement="the flag says whether the two labels are the same",
            what_to_do=_AGAIN,
        ),
        never(
            "explained_by__only_where_something_differs",
            ("explained_by", "is_same_regime", "score_revision"),
            lambda f, _: flag(
                f["explained_by"].notna(),
                judged=f["is_same_regime"] & (f["score_revision"].abs().fillna(1.0) <= _SAME),
            ),
            statement="no cause is named where nothing differs",
            what_to_do=_AGAIN,
        ),
        never(
            "explained_by__complete",
            ("explained_by", "explained_score_change", "is_explained_alone"),
            lambda f, _: (
                only_where(f["explained_score_change"], f["explained_by"].notna())
                + only_where(f["is_explained_alone"], f["explained_by"].notna())
            ),
            statement="a cause comes with what it changes",
            what_to_do=_AGAIN,
        ),
        never(
            "explained_by__every_other_label_has_a_cause",
            ("explained_by", "is_same_regime"),
            lambda f, _: flag(f["explained_by"].isna(), judged=~f["is_same_regime"].astype("boolean")),
            statement="a label that revisions changed names the series that did it",
            what_to_do="Several revisions together may do what none does alone: compare the evidence of both runs.",
            severity="warning",
        ),
    )
