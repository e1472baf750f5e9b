"""Sentences about movement: how far the label is from another, and what changed since the publication before.

Belongs here: words around those figures. Does not belong here: figures typed in by hand; the verdict (`sentences.py`).
"""

from __future__ import annotations

from assets.report.reading import Release, Row
from assets.report.record import said_words
from assets.report.tables_flip import RATE, reach, thresholds
from assets.report.words import counted, day, listed, number

_ENDS = {
    "leave_bubble": "the bubble would end",
    "leave_depression": "the depression would end",
    "enter_bubble": "a bubble could begin",
    "enter_depression": "a depression could begin",
}


def flip_nearest(release: Release) -> str | None:
    """The nearest threshold of a score that is not met."""
    rows = [row for row in thresholds(release) if row["measure"] != RATE]
    held = [flip for flip in _ENDS if rows and _all_met(flip, rows)]
    if held:
        begins = _ENDS[held[0]].replace("could begin", "begins")
        return f"All that is needed is met: {begins} if it holds on the next month-end."
    waiting = [row for row in rows if row["distance"]]
    if not waiting:
        return "There is no score today, so no threshold of it is in force."
    row = waiting[0]
    way = "fell" if row["limit_value"] < row["measure_value"] else "rose"
    ends = row["month_ends_needed"]
    also = "" if ends == 1 else f", on {counted(ends, 'month-end')} in a row"
    return (
        f"Nearest: if the {row['measure'].replace('_', ' ')} {way} by **{number(row['distance'], 3)}** to "
        f"{number(row['limit_value'])}, {_ENDS[row['flip']]}{also}."
    )


def _all_met(flip: str, rows: list[Row]) -> bool:
    """Whether every threshold of entering a bubble, or the score and another of a depression, is met already."""
    met = [not row["distance"] for row in rows if row["flip"] == flip]
    score = any(
        not row["distance"] for row in rows if row["flip"] == flip and row["measure"] == "bubble_score"
    )
    return bool(met) and (all(met) if flip != "enter_depression" else score and sum(met) > 1)


def flip_alone(release: Release) -> str | None:
    """Which inputs could do it by themselves, and which could not, whatever their value."""
    able, cannot, absent = reach(release)
    if not (able or cannot or absent):
        return None
    who = "No input" if not able else counted(len(able), "input").capitalize()
    parts = []
    if cannot:
        whose = "its" if len(cannot) == 1 else "their"
        parts.append(
            f"{counted(len(cannot), 'is', 'are')} out of reach even at the end of {whose} own history"
        )
    if absent:
        parts.append(f"{counted(len(absent), 'is', 'are')} absent")
    return f"{who} moved alone could pass a threshold of the scores" + (
        f"; {listed(parts)}." if parts else "."
    )


def change_night(release: Release) -> str | None:
    """What changed since the publication before."""
    earlier = release.row(
        "SELECT max(published_at) AS at, max_by(as_of_date, published_at) AS as_of FROM regime_nightly "
        "WHERE published_at < ?",
        release.manifest["published_at"],
    )
    if earlier["at"] is None:
        return "This is the first publication of this archive: there is no earlier night to compare with."
    rows = release.rows("SELECT * FROM what_changed WHERE compared_with = 'publication_before' ORDER BY item")
    since = f"the publication before, as of {day(earlier['as_of'])}"
    labels = [
        f"the {row['item'].replace('_', ' ').replace('regime', 'label')} went from "
        f"{said_words(row['text_before'])} to {said_words(row['text_now'])}"
        for row in rows
        if row["text_now"] is not None or row["text_before"] is not None
    ]
    scores = [
        f"the {row['item'].replace('_', ' ')} from {number(row['value_before'], 3)} to {number(row['value_now'], 3)}"
        for row in rows
        if row["text_now"] is None and row["text_before"] is None
    ]
    if not rows:
        return f"Nothing changed against {since}."
    return f"Against {since}: {listed([*labels, *scores])}."
