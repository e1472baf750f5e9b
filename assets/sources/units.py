"""A publisher's words for unit, base year and frequency, in the catalogue's terms; None for what is not understood."""

from __future__ import annotations

import re

from assets.catalog.models import Frequency, UnitKind

_DOLLARS = re.compile(r"\b(dollars?|usd)\b|\$")
_PER_OUNCE = re.compile(r"(per|/)\s*(troy\s+)?(ounces?|oz)\b")
_PER_HOUR = re.compile(r"(per|/)\s*(hours?|hr)\b")
_OTHER_SCALE = re.compile(r"\b(trillions?|hundreds?|basis points?|bps?)\b")
_SCALES = {
    "bn": re.compile(r"\b(billions?|bn|bil)\b"),
    "mn": re.compile(r"\b(millions?|mn|mil)\b"),
    "thousands": re.compile(r"\bthousands?\b"),
}
_POINTS = re.compile(r"\bpercentage points?\b|\bpp\b")
_PERCENT = re.compile(r"\bper ?cent(age)?\b|\bpct\b|%")
_INDEX = re.compile(r"\bindex\b")
_COUNT = re.compile(r"\b(persons?|number|claims|units?|count)\b")
_INDICATOR = re.compile(r"\+?1 or 0|\bindicator\b|\b0/1\b")
_YEAR = re.compile(r"(?<!\d)(?:18|19|20)\d{2}(?!\d)")
_SHORT_RANGE = re.compile(r"(?<!\d)((?:18|19|20)\d{2})\s*-\s*(\d{2})(?!\d)")
_FREQUENCIES: dict[str, Frequency] = {
    "d": "D", "daily": "D", "w": "W", "weekly": "W", "m": "M", "monthly": "M", "q": "Q", "quarterly": "Q",
}  # fmt: skip


def parse_unit(text: str | None) -> UnitKind | None:
    """Scale and kind a unit text states ("Millions of U.S. Dollars" is usd_mn); None when not understood."""
    if text is None:
        return None
    words = text.lower().replace("u.s.", "us").replace("us$", "usd")
    if _OTHER_SCALE.search(words):
        return None
    scale = next((name for name, pattern in _SCALES.items() if pattern.search(words)), None)
    if _DOLLARS.search(words):
        return _money(words, scale)
    return _plain(words, scale)


def _money(words: str, scale: str | None) -> UnitKind | None:
    if scale is None:
        if _PER_OUNCE.search(words):
            return "usd_per_oz"
        return "usd_per_hour" if _PER_HOUR.search(words) else "usd"
    if _PER_OUNCE.search(words) or _PER_HOUR.search(words):
        return None
    return "usd_bn" if scale == "bn" else "usd_mn" if scale == "mn" else None


def _plain(words: str, scale: str | None) -> UnitKind | None:
    if scale is not None:
        return "thousands" if scale == "thousands" else None
    kinds: tuple[tuple[re.Pattern[str], UnitKind], ...] = (
        (_POINTS, "pp"),
        (_PERCENT, "pct"),
        (_INDEX, "index"),
        (_INDICATOR, "indicator"),
        (_COUNT, "count"),
    )
    return next((kind for pattern, kind in kinds if pattern.search(words)), None)


def base_years(text: str | None) -> tuple[str, ...]:
    """Base years in a unit text: ("2017",) for "Index 2017=100" and "Chained 2017 Dollars"; () for none."""
    if text is None:
        return ()
    written_out = _SHORT_RANGE.sub(lambda match: f"{match[1]}-{match[1][:2]}{match[2]}", text)
    return tuple(_YEAR.findall(written_out))


def parse_frequency(text: str | None) -> Frequency | None:
    """Frequency a text states by its first word ("Weekly, Ending Friday" is W); None when not understood."""
    words = re.findall(r"[a-z]+", (text or "").lower())
    return _FREQUENCIES.get(words[0]) if words else None
