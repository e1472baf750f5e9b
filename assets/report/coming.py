"""When the next figures are expected, which of them could change the label alone, and the same as an iCalendar file.

A day is the period's end and the usual lag of the series: publishers' own calendars are not in the published file.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from assets.report.published import Release, Row
from assets.report.words import component_inside, period_end

# Inputs that could change the label alone.
_ABLE = """
SELECT DISTINCT component FROM distance_to_flip
WHERE as_of_date = ? AND reachability = 'reachable' AND required_move <> 0
"""
POLICY_RATE = "policy_rate_change"  # among them: a decision, not a figure
_LONGEST_LINE = 75  # octets, by RFC 5545


@dataclass(frozen=True)
class Coming:
    """A figure that is expected: its series, about when, for which inputs, and whether it could change the label."""

    series_id: str
    title: str
    expected: dt.date
    inputs: tuple[str, ...]
    could_change: bool


def able_inputs(release: Release) -> set[str]:
    """Inputs that could change the label alone."""
    return {row["component"] for row in release.rows(_ABLE, release.as_of)}


def coming_releases(release: Release) -> list[Coming]:
    """The next figure of every monthly or quarterly series behind the evidence, by day."""
    series = {row["series_id"]: row for row in release.series}
    inputs: dict[str, list[str]] = {}
    for row in release.evidence:
        for name in (row["series_ids"] or "").split(","):
            if name in series:
                inputs.setdefault(name, []).append(row["component"])
    able = able_inputs(release)
    found = [
        Coming(
            name,
            series[name]["title"],
            expected(series[name], release.as_of),
            tuple(component_inside(component) for component in components),
            bool(able & set(components)),
        )
        for name, components in inputs.items()
        if series[name]["frequency"] in "WMQ"
    ]
    return sorted(found, key=lambda one: (one.expected, one.series_id))


def expected(series: Row, as_of: dt.date) -> dt.date:
    """Usual publication of the figure after the newest one; the day after the run date where that has passed."""
    newest, frequency = series["last_period_end"] or as_of, series["frequency"]
    following = period_end(newest + dt.timedelta(days=7 if frequency == "W" else 1), frequency)
    return max(following + dt.timedelta(days=series["release_lag_days"]), as_of + dt.timedelta(days=1))


def icalendar(coming: list[Coming], stamp: dt.datetime) -> str:
    """All-day events as RFC 5545 writes them: folded lines, CRLF."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//stimulus-regime//coming releases//EN"]
    for one in coming:
        mark = "could change the label" if one.could_change else "cannot change the label alone"
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one.series_id}-{one.expected:%Y%m%d}@stimulus-regime",
            f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{one.expected:%Y%m%d}",
            f"SUMMARY:{_escaped(f'{one.title} ({one.series_id}): {mark}')}",
            f"DESCRIPTION:{_escaped('About this day, by the usual lag. Input of ' + ', '.join(one.inputs) + '.')}",
            "END:VEVENT",
        ]
    return "".join(f"{folded}\r\n" for line in [*lines, "END:VCALENDAR"] for folded in _folded(line))


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text


def _folded(line: str) -> list[str]:
    """A line in parts of at most 75 octets; each but the first begins with a blank."""
    parts, part = [], ""
    for sign in line:
        if len((part + sign).encode()) > _LONGEST_LINE:
            parts.append(part)
            part = " "
        part += sign
    return [*parts, part]
