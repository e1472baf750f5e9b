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
_PLAIN: tuple[tuple[UnitKind, re.Pattern[str]], ...] = (  # the first that fits
    ("pp", re.compile(r"\bpercentage points?\b|\bpp\b")),
    ("pct", re.compile(r"\bper ?cent(age)?\b|\bpct\b|%")),
    ("index", re.compile(r"\bindex\b")),
    ("indicator", re.compile(r"\+?1 or 0|\bindicator\b|\b0/1\b")),
    ("count", re.compile(r"\b(persons?|number|claims|units?|count)\b")),
)
_MONEY: dict[str | None, UnitKind] = {None: "usd", "mn": "usd_mn", "bn": "usd_bn"}
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
        per_ounce, per_hour = _PER_OUNCE.search(words), _PER_HOUR.search(words)
        if per_ounce or per_hour:
            return None if scale else "usd_per_oz" if per_ounce else "usd_per_hour"
        return _MONEY.get(scale)
    if scale is not None:
        return "thousands" if scale == "thousands" else None
    return next((kind for kind, pattern in _PLAIN if pattern.search(words)), None)


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
