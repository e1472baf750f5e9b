"""Coming figures: those that could change the label alone, and all of them as an iCalendar file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from assets.report.published import Release, Row
from assets.report.words import component_inside, day

# Inputs that could change the label alone.
_ABLE = """
SELECT DISTINCT component FROM distance_to_flip
WHERE as_of_date = ? AND reachability = 'reachable' AND required_move <> 0
"""
# The next figure that could, of the input that could.
_NEXT = f"""
SELECT able.component, c.release_date, c.date_basis FROM ({_ABLE}) AS able
JOIN release_calendar AS c ON list_contains(string_split(c.components, ', '), able.component)
ORDER BY c.release_date, able.component LIMIT 1
"""
_COMING = "SELECT * FROM release_calendar WHERE frequency <> 'D' ORDER BY release_date, series_id"
POLICY_RATE = "policy_rate_change"  # among them: a decision, not a figure
_BASES = {
    "publisher": "By the release calendar of the publisher.",
    "usual_lag": "Expected about this day, by the usual lag.",
    "overdue": "Overdue by the usual lag; it can come on any day.",
}
_LONGEST_LINE = 75  # octets, by RFC 5545


def rate_could_change(release: Release) -> bool:
    """Whether a decision on the policy rate could change the label alone."""
    return any(row["component"] == POLICY_RATE for row in release.rows(_ABLE, release.as_of))


def next_able(release: Release) -> list[Row]:
    """The next figure that could change the label alone; none where no figure could."""
    return release.rows(_NEXT, release.as_of)


def coming_releases(release: Release) -> list[Row]:
    """Rows of `release_calendar` by day, without daily series."""
    return release.rows(_COMING)


def when(row: Row) -> str:
    """The day of a row inside a sentence: of the publisher's calendar, or only expected; none where it is overdue."""
    if row["date_basis"] == "overdue":
        return "overdue"
    return f"{'on' if row['date_basis'] == 'publisher' else 'expected about'} {day(row['release_date'])}"


def icalendar(coming: Sequence[Row], stamp: dt.datetime) -> str:
    """All-day events as RFC 5545 writes them: folded lines, CRLF. A figure keeps its event when its day moves."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//stimulus-regime//coming releases//EN"]
    for one in coming:
        mark = "could change the label" if one["could_change_label"] else "cannot change the label alone"
        inputs = ", ".join(component_inside(name) for name in one["components"].split(", "))
        summary = f"{one['title']} ({one['series_id']}): {mark}"
        description = f"{_BASES[one['date_basis']]} Input of {inputs}."
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one['series_id']}-{one['period_end_date']:%Y%m%d}@stimulus-regime",
            f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{one['release_date']:%Y%m%d}",
            f"SUMMARY:{_escaped(summary)}",
            f"DESCRIPTION:{_escaped(description)}",
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
