"""Writes `docs/evidence.md` from longer real files: `python -m docs._generate.evidence FOLDER`.

FOLDER holds one `date,value` file a series and `outside/JSTdatasetR6.csv`; neither is part of the project.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from assets.catalog.loader import PROJECT_ROOT, load_catalog
from assets.compute.diagnostics.country_years import CASE, by_label, country_years, differences
from docs._generate.validation import table
from pipelines.commands.panel import CITATION, EXPLORATORY, read_data_set
from tests.helpers import on_real_series

PAGE = PROJECT_ROOT / "docs" / "evidence.md"
OUTCOMES = ("hit", "false_alarm", "missed", "neither")


def page(folder: Path) -> str:
    """The full page, from the files of a folder."""
    return "\n".join([_HEAD, *_long(folder), *_countries(folder / "outside" / "JSTdatasetR6.csv")]) + "\n"


_HEAD = (
    "# Evidence from other times and countries\n"
    "The method was written for the United States since 1995. This page shows the same rule elsewhere: since 1963, and "
    "once a year in other countries. All of it is **exploratory**: the data, and the results of a first try, were "
    "known before the rules of this page were written. Misses come first. "
    "[Decision 0020](decisions/0020-evidence-from-other-times.md) has the choices.\n\n"
    "The figures were computed from longer real files that are not part of the project. "
    "`python -m docs._generate.evidence FOLDER` writes the page again, and a test compares it where the files are.\n"
)


def _long(folder: Path) -> Iterator[str]:
    computed = on_real_series(folder)
    record = computed.run.table("long_record").set_index("month_end_date")
    cases = computed.run.table("long_record_cases")
    before = record[record["is_before_published_record"]]
    scored = before[before["condition_state"] != "indeterminate"]
    yield (
        "## Since 1963\n"
        "`long_record` applies the rule, with the limits of `method.toml`, to every month-end from "
        f"{before.index[0]:%B %Y}, with ranks among month-ends since {load_catalog().method.long_record.start:%B %Y}. "
        f"The published record begins in December 1994. The months before it have a score from {scored.index[0]:%B %Y} "
        f"to {scored.index[-1]:%B %Y}.\n"
    )
    rows = []
    for name, part in (("before the published record", before), ("all months", record)):
        count = part["recession_outcome"].value_counts().reindex(OUTCOMES, fill_value=0)
        recession = count["hit"] + count["missed"]
        rows.append((name, recession, count["missed"], count["hit"], count["false_alarm"], count["neither"]))
    yield table(
        (
            "month-ends",
            "in a recession (NBER)",
            "missed: not in depression",
            "hit: in depression",
            "false alarm: in depression, no recession",
            "neither",
        ),
        rows,
    )
    missed = record.index[record["recession_outcome"] == "missed"]
    yield f"Missed months: {', '.join(_runs(missed, record.index))}.\n"
    false = record.index[record["recession_outcome"] == "false_alarm"]
    yield f"False alarms: {', '.join(_runs(false, record.index))}.\n"
    yield (
        "`long_record_cases` has every recession and every spell of bubble or depression, with what followed; the "
        "misses first. Price: change of the equity price in 36 months, no dividends, today's figures.\n"
    )
    yield table(
        (
            "kind",
            "first",
            "last",
            "month-ends",
            "in recession, or in depression",
            "a recession in it or within 24 months",
            "price after start",
            "price after end",
            "miss",
        ),
        [
            (
                row.kind,
                f"{row.first_date:%Y-%m}",
                f"{row.last_date:%Y-%m}",
                row.month_ends,
                row.overlap_month_ends,
                "" if row.kind == "recession" else _yes(row.is_recession_after),
                _pct(row.price_after_start_pct),
                _pct(row.price_after_end_pct),
                f"**{_yes(row.is_miss)}**" if row.is_miss else _yes(row.is_miss),
            )
            for row in cases.itertuples()
        ],
    )
    yield (
        "**What is absent.** An input counts from the first month-end with a rank (a figure on 120 month-ends) or, on "
        "a fixed scale, with a figure. Before that it is left out, with its reason in `absent_inputs`.\n"
    )
    yield table(("first month-end", "inputs"), _first_months(record))
    funds = record.index[record["rate_series"] == "FEDFUNDS"]
    grades = " and ".join(f"`{grade}`" for grade in sorted(set(record["pit_grade"])))
    yield (
        f"**What differs.** Until {funds[-1]:%B %Y} the change of the monthly average of the effective rate (FEDFUNDS) "
        "stands for that of the target. The ledger of announcements begins in November 2008; before it the stance is "
        "the direction of the rate. The high of equities counts from the first month of the ranks. In these files "
        f"every figure is dated by lag rule and has today's value; the grades in `pit_grade` are {grades}. A live "
        "profile computes the table from its own vintages and can differ. In the profile `sample`, whose figures "
        "begin in 1985, every row is indeterminate, "
        "with the reason.\n"
    )


def _runs(months: pd.DatetimeIndex, every: pd.DatetimeIndex) -> list[str]:
    """Runs of consecutive month-ends, as text."""
    position = pd.Series(every.get_indexer(months))
    runs = position.groupby((position.diff() != 1).cumsum()).agg(["min", "max"])
    return [
        f"{every[a]:%Y-%m}" if a == b else f"{every[a]:%Y-%m} to {every[b]:%Y-%m}"
        for a, b in runs.itertuples(index=False)
    ]


def _yes(value: bool | None) -> str:
    return "open" if value is None else "yes" if value else "no"


def _pct(value: float) -> str:
    return "" if pd.isna(value) else f"{value:+.0f} %"


def _first_months(record: pd.DataFrame) -> list[tuple[str, str]]:
    absent = record["absent_inputs"].fillna("")
    names = sorted({part.split(" ")[0] for text in absent for part in text.split(", ") if part})
    first: dict[str, list[str]] = {}
    for name in names:
        known = absent.index[~absent.str.contains(rf"(?:^|, ){name} ")]
        first.setdefault(f"{known[0]:%Y-%m}" if len(known) else "none", []).append(name)
    return [(month, ", ".join(f"`{name}`" for name in of)) for month, of in sorted(first.items())]


def _countries(file: Path) -> Iterator[str]:
    catalog = load_catalog()
    found = by_label(country_years(read_data_set(file), catalog), catalog.method).to_dict("records")
    case, all_, years = found[0], found[-1], catalog.method.panel.horizon_years
    yield (
        "## Other countries\n"
        "`python -m pipelines panel JSTdatasetR6.xlsx` runs the code of the rule once a year on release 6 of the "
        "Jorda-Schularick-Taylor Macrohistory Database, which you download; `--cases` prints every country-year. "
        f"Below: the file with sha256 `{hashlib.sha256(file.read_bytes()).hexdigest()}`.\n"
    )
    yield (
        f'Misses of "easing into a bubble ends badly": after {case["returned_at_least_the_mean_of_all"]} of '
        f"{case['country_years']} country-years of `{CASE}` equities returned at least the mean of all country-years, "
        f"{all_['mean_real_return_pct']:.1f} percent real in {years} years, and after {case['without_crisis']} no "
        f"banking crisis began within {years} years.\n"
    )
    yield table(
        (
            "label",
            "country-years",
            "episodes",
            "countries",
            "years",
            f"real equity return in {years} years, %",
            "less all (90 %)",
            "banking crisis, %",
            "less all (90 %)",
        ),
        [
            (
                f"`{row['regime']}`" if row is not all_ else "all",
                row["country_years"],
                row["episodes"],
                row["countries"],
                f"{row['first_year']}-{row['last_year']}",
                f"{row['mean_real_return_pct']:.1f}",
                _difference(row, "mean_real_return_pct"),
                f"{row['crisis_share_pct']:.1f}",
                _difference(row, "crisis_share_pct"),
            )
            for row in found
        ],
    )
    yield (
        "Intervals: years drawn in blocks with all their countries, "
        f"{catalog.method.forward_returns.bootstrap_draws} times, mean block {years} years, seed fixed. All: every "
        "country-year with a score and both outcomes.\n"
    )
    yield "What differs from the monthly rule:\n"
    yield "\n".join(f"- {sentence}" for sentence in differences(catalog.method)) + "\n"
    yield (
        "The first try, by hand and with other choices, had 104 country-years of easing into a bubble, a mean of 12 "
        "percent against 27 for all (difference -16, interval -24 to -7), and crises after 14 percent against 9. "
        "The lower returns are found here too; the crises are not.\n"
        if case["mean_real_return_pct_less_all_high"] < 0.0 < case["crisis_share_pct_less_all_high"]
        else ""
    )
    yield f"{EXPLORATORY}\n\n{CITATION}"


def _difference(row: dict[Hashable, Any], name: str) -> str:
    if pd.isna(row[f"{name}_less_all_low"]):
        return ""
    low, high = row[f"{name}_less_all_low"], row[f"{name}_less_all_high"]
    return f"{row[f'{name}_less_all']:+.1f} ({low:+.1f} to {high:+.1f})"


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1])), encoding="utf-8")
