"""The first screen: the line above the verdict, the verdict's words, and the four tiles below it.

Belongs here: what stands in them. Does not belong here: sentences, markup.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from assets.report.reading import Release
from assets.report.tables_flip import thresholds
from assets.report.words import GRADE_WORDS, REGIME_WORDS, capital, day, number, regime_words

_NEW_YORK = ZoneInfo("America/New_York")
_DRIVERS = {
    "rate": "by the policy rate",
    "balance_sheet": "by the balance sheet",
    "both": "rate and balance sheet",
    "none": "rate and balance sheet cancel",
}
_TONES = {"bubble": "hot", "depression": "cold"}


def head(release: Release) -> dict[str, str]:
    today, manifest = release.today, release.manifest
    words = regime_words(today["regime"], today["stance_driver"])
    plain = REGIME_WORDS.get(today["regime"], str(today["regime"]))
    published = manifest["published_at"].replace(tzinfo=dt.UTC).astimezone(_NEW_YORK)
    last = plain.split(" ")[-1]
    return {
        "as_of": day(release.as_of),
        "profile": manifest["profile"],
        "badge": "Sample data" if manifest["profile"] == "sample" else "Live figures",
        "published": f"{day(published.date())}, {published:%H:%M} New York",
        "method": manifest["method_version"],
        "grade": str(today["pit_grade"]).replace("_", " "),
        "grade_words": GRADE_WORDS.get(today["pit_grade"], ""),
        "regime": words,
        "regime_first": plain.removesuffix(last).strip(),
        "regime_last": last,
        "regime_rest": words.removeprefix(plain),
        "tone": _TONES.get(today["condition_state"], "mid"),
        "code_version": manifest["code_version"],
        "release_id": manifest["release_id"],
    }


def tiles(release: Release) -> list[dict[str, str]]:
    today = release.today
    minimum = release.parameters["coverage.minimum"]
    at_minimum = today["conditions_at_minimum_coverage"] is not None
    return [
        {
            "name": "Bubble score",
            "value": number(today["bubble_score"]),
            "note": "0 is cold, 1 is hot",
        },
        {
            "name": "Fed stance",
            "value": capital(today["stance"] or "unknown"),
            "note": _DRIVERS.get(today["stance_driver"], ""),
        },
        _distance_tile(release),
        {
            "name": "Coverage",
            "value": number(today["coverage"]),
            "note": f"at the minimum of {number(minimum)}" if at_minimum else f"{number(minimum)} is needed",
        },
    ]


def _distance_tile(release: Release) -> dict[str, str]:
    """How far the score is from its nearest threshold in force, and which one."""
    today = release.today
    name = "exit" if today["condition_state"] in _TONES else "limit"
    limits = [row for row in thresholds(release) if row["measure"] == "bubble_score"]
    if not limits:
        return {
            "name": "Distance",
            "value": number(today["distance_to_threshold"]),
            "note": "no label, no threshold",
        }
    nearest = min(limits, key=lambda row: abs(row["measure_value"] - row["limit_value"]))
    side = "above" if nearest["measure_value"] > nearest["limit_value"] else "below"
    return {
        "name": f"Distance to {name}",
        "value": number(today["distance_to_threshold"]),
        "note": f"score {side} {number(nearest['limit_value'])}",
    }
