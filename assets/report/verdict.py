"""The verdict: heading, past easing against now, and the evidence.

Here and in the other parts of the page, `content` returns what the template shows of the part.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from assets.report.published import Release, Row
from assets.report.words import (
    CONDITIONS,
    GRADE_WORDS,
    REGIME_WORDS,
    capital,
    component_inside,
    day,
    listed,
    percent,
    period,
    reason_words,
    regime_words,
)

_NEW_YORK = ZoneInfo("America/New_York")
_BADGES = {"sample": "Sample data", "public": "Public figures", "live": "Live figures"}
_TONES = {"bubble": "hot", "depression": "cold"}
PHASE_NAMES = {
    "qe1": "QE1",
    "qe2": "QE2",
    "qe3": "QE3",
    "bills_2019": "Bills 2019",
    "qe4_2020": "Covid",
    "post": "The post",
    "reserves_2025": "Reserves 2025",
    "today": "Now",
}
_BASE_RATES = """
SELECT condition, any_value(share) FILTER (verdict = 'hot') AS hot, any_value(share) FILTER (verdict = 'cold') AS cold,
  any_value(first_date) FILTER (verdict = 'hot') AS first_date
FROM base_rates GROUP BY condition
"""


def content(release: Release) -> dict[str, Any]:
    """What the template shows of this part."""
    return {
        "head": _head(release),
        "base_rates": base_rates(release),
        "past_easing": [{**row, "equity_price_period": _price_period(row)} for row in release.phases],
        "evidence": [_evidence_group(release, name) for name in CONDITIONS],
    }


def _head(release: Release) -> dict[str, str]:
    today, manifest = release.today, release.manifest
    name = REGIME_WORDS.get(today["regime"], str(today["regime"]))
    first, _, last = name.rpartition(" ")
    published = manifest["published_at"].replace(tzinfo=dt.UTC).astimezone(_NEW_YORK)
    words = regime_words(today["regime"], today["stance_driver"])
    return {
        "as_of": day(release.as_of),
        "badge": _BADGES[manifest["profile"]],
        "published": f"{day(published.date())}, {published:%H:%M} New York",
        "grade": str(today["pit_grade"]).replace("_", " "),
        "grade_words": GRADE_WORDS.get(today["pit_grade"], ""),
        "regime": words,
        "regime_first": first,
        "regime_last": last,
        "regime_rest": words.removeprefix(name),
        "tone": _TONES.get(today["condition_state"], "mid"),
        **{name: manifest[name] for name in ("method_version", "code_version", "release_id")},
    }


def _evidence_group(release: Release, condition: str) -> dict[str, Any]:
    """A condition with its score and its inputs; absent ones in one line, by reason."""
    of_condition = [row for row in release.evidence if row["condition"] == condition]
    absent: dict[str, list[str]] = {}
    for row in of_condition:
        if row["score"] is None:
            names = absent.setdefault(reason_words(row["absent_reason"]), [])
            names.append(component_inside(row["component"]))
    return {
        "absent": capital("; ".join(f"{why}: {listed(names)}" for why, names in absent.items())),
        "name": condition,
        "score": release.today[f"{condition}_score"],
        "verdict": release.now[f"{condition}_verdict"] or "absent",
        "rows": [row for row in of_condition if row["score"] is not None],
    }


def base_rates(release: Release) -> dict[str, str]:
    """How often each condition has been hot and cold: "hot in 30 %, cold in 31 % of months since 1995"."""
    return {
        row["condition"]: "no base rate yet"
        if row["hot"] is None
        else f"hot in {percent(row['hot'])}, cold in {percent(row['cold'])} of months since {row['first_date']:%Y}"
        for row in release.rows(_BASE_RATES)
    }


def _price_period(row: Row) -> str:
    """The month, or the quarter of a market value, that the share price is of."""
    return period(row["equity_price_date"], "Q" if str(row["equity_price_basis"]).startswith("z1_") else "M")
