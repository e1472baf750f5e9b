"""The dates on which the method must say what everybody who was there knows.

Belongs here: the dates and what must be said of them; the report shows them and the tests hold them. Does not belong
here: whether they came out (`tables_record.py`, `tests`).
"""

from __future__ import annotations

POST = "2025-11-05"
# first and last month-end, column of `regime`, what it must say
CASES = (
    ("1999-12-31", "1999-12-31", "condition_state", "bubble"),
    ("1999-12-31", "1999-12-31", "stance", "tightening"),
    ("2000-03-31", "2000-03-31", "condition_state", "bubble"),
    ("2000-03-31", "2000-03-31", "stance", "tightening"),
    ("2008-11-30", "2009-12-31", "regime", "stimulus_into_depression"),
    ("2010-11-30", "2010-11-30", "regime", "stimulus_into_depression"),
    ("2012-09-30", "2012-09-30", "stance", "stimulus"),
    ("2020-03-31", "2020-04-30", "regime", "stimulus_mid_cycle"),
    ("2020-05-31", "2020-06-30", "regime", "stimulus_into_depression"),
    ("2021-11-30", "2021-11-30", "regime", "stimulus_into_bubble"),
    ("2022-12-31", "2022-12-31", "regime", "tightening_mid_cycle"),
    ("2025-09-30", "2025-09-30", "regime", "neutral_bubble"),
    ("2025-10-31", "2026-05-31", "regime", "stimulus_into_bubble"),
    ("2013-05-31", "2013-05-31", "stance", "stimulus"),
    ("2018-12-31", "2018-12-31", "stance", "tightening"),
    ("2019-01-31", "2019-01-31", "stance", "tightening"),
    ("2023-03-31", "2023-03-31", "stance", "tightening"),
)
