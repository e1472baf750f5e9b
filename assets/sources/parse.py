"""A text table of `date,value` read strictly: what is no table of figures is refused, never repaired.

Belongs here: from text to a typed frame, for every source that serves such a text. Does not belong here:
rules about the figures themselves (`validate.py`). pandas is not asked to guess: it takes "inf", "1_000"
and "2026" for figures.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import numpy as np
import pandas as pd

from assets.sources.protocol import PayloadRefused, Rule

COLUMNS = ("observation_date", "value", "realtime_start")
HEADER = ["date", "value"]
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def read_date_value(content: bytes, series_id: str, where: str) -> pd.DataFrame:
    """Observations of a `date,value` text; an empty value was published as missing.

    One row per line: `observation_date` (datetime64[s]), `value` (float64), `realtime_start` (NaT).
    Raises PayloadRefused: empty_file, missing_column, not_a_number, not_a_date, with the line's number.
    """

    def refuse(rule: Rule, detail: str) -> PayloadRefused:
        return PayloadRefused(rule, series_id, where, detail, "restore the file from its source")

    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise refuse("missing_column", f"no text table with the header date,value ({error})") from None
    if not rows:
        raise refuse("empty_file", "the file has no line")
    if rows[0] != HEADER:
        raise refuse("missing_column", f"the header is {','.join(rows[0])[:60]!r}, expected 'date,value'")
    body = [(number, row) for number, row in enumerate(rows[1:], start=2) if row]
    if not body:
        raise refuse("empty_file", "the file has a header and no figure")
    dates, values = [], []
    for number, row in body:
        if len(row) != len(HEADER):
            raise refuse("missing_column", f"line {number} has {len(row)} fields, expected 2")
        if not is_iso_date(row[0]):
            raise refuse("not_a_date", f"{row[0][:40]!r} on line {number} is no date like 2026-05-31")
        if row[1] and not _is_number(row[1]):
            raise refuse("not_a_number", f"{row[1][:40]!r} on {row[0]} (line {number}) is no number")
        dates.append(row[0])
        values.append(float(row[1]) if row[1] else np.nan)
    return observations_frame(dates, values)


def observations_frame(
    dates: list[str] | np.ndarray,
    values: list[float] | np.ndarray,
    starts: list[str] | np.ndarray | None = None,
) -> pd.DataFrame:
    """The frame a payload carries, exactly typed; `starts` is None where the source gives no vintage."""
    observation = np.asarray(dates, dtype="datetime64[s]")
    start = np.full(len(observation), "NaT") if starts is None else np.asarray(starts)
    return pd.DataFrame(
        {
            "observation_date": observation,
            "value": np.asarray(values, dtype="float64"),
            "realtime_start": start.astype("datetime64[s]"),
        }
    )


def is_iso_date(text: str) -> bool:
    """Whether a text is a day of the calendar, written 2026-05-31."""
    if not _DATE.fullmatch(text):
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and bool(np.isfinite(float(text)))
