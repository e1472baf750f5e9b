"""`panel`: the rule once a year in many countries, from a data set that the user brings. Nothing is published."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.release_file import Row, aligned, number, print_rows
from pipelines.settings import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

    from assets.catalog.method import Panel

CITATION = (
    "Jorda, Schularick and Taylor (2017), Macrofinancial History and the New Business Cycle Facts, NBER "
    "Macroeconomics Annual 31; returns: Jorda, Knoll, Kuvshinov, Schularick and Taylor (2019), The Rate of Return on "
    "Everything, 1870-2015, Quarterly Journal of Economics 134(3). Macrohistory Database, release 6, CC BY-NC-SA."
)
EXPLORATORY = (
    "Exploratory: the data and the result of a first try were known when this rule was chosen. Windows of "
    "country-years overlap: count episodes. No forecast."
)
FIRST_YEAR, LAST_YEAR, COUNTRIES = 1870, 2020, 18  # of release 6
_TEXTS = {"country", "iso"}
_HEADER = (
    "label", "country-years", "episodes", "countries", "from", "to", "real return %", "less all", "90 % interval",
    "median", "crisis %", "less all ", "90 % interval ",
)  # fmt: skip


def panel(args: argparse.Namespace) -> int:
    """Print what followed each label, the misses first. Raises ConfigurationError, one line."""
    from assets.catalog.loader import load_catalog
    from assets.compute.diagnostics.country_years import by_label, country_years, differences, measured

    data, catalog = read_data_set(args.file), load_catalog()
    cases = country_years(data, catalog)
    if args.json or args.csv or args.cases:
        print(EXPLORATORY, CITATION, sep="\n", file=sys.stderr)
    if args.cases:
        print_rows(args, [*_records(cases)])
        return 0
    sha256 = hashlib.sha256(args.file.read_bytes()).hexdigest()
    found = [*_records(by_label(cases, catalog.method).assign(file_sha256=sha256))]
    lines = [
        f"{args.file}, sha256 {sha256}",
        "",
        *_misses(measured(cases), found, catalog.method.panel),
        "",
        *_table(found),
        "",
        "What differs from the monthly rule:",
        *(f"  {sentence}" for sentence in differences(catalog.method)),
        "",
        EXPLORATORY,
        CITATION,
    ]
    print_rows(args, found, lines)
    return 0


def read_data_set(path: Path) -> pd.DataFrame:
    """The columns that are read, every country and year once. Raises ConfigurationError for any other file."""
    import pandas as pd

    from assets.compute.diagnostics.country_years import COLUMNS

    readers: dict[str, Callable[..., pd.DataFrame]] = {
        ".csv": pd.read_csv,
        ".xlsx": pd.read_excel,
        ".dta": pd.read_stata,
    }
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}: give the downloaded JSTdatasetR6")
    if path.suffix.lower() not in readers:
        raise ConfigurationError(
            f"{path.name} is not a .xlsx, .dta or .csv file: give the downloaded JSTdatasetR6"
        )
    try:
        data = readers[path.suffix.lower()](path)
    except Exception as error:  # every reader has errors of its own for a file that is something else
        problem = " ".join(str(error).split())[:100]
        raise ConfigurationError(f"{path.name} cannot be read ({problem}): download it again") from None
    if missing := [name for name in COLUMNS if name not in data]:
        raise ConfigurationError(
            f"{path.name} has no column {missing[0]}: it is not JSTdatasetR6 (release 6)"
        )
    data = data[list(COLUMNS)]
    for name in COLUMNS:
        if name not in _TEXTS and not pd.api.types.is_numeric_dtype(data[name]):
            raise ConfigurationError(f"{path.name}: column {name} is not numeric: download it again")
    complete = COUNTRIES * (LAST_YEAR - FIRST_YEAR + 1)
    found = data[data["year"].between(FIRST_YEAR, LAST_YEAR)].drop_duplicates(["iso", "year"])
    if len(found) != complete or len(data) != complete or data["iso"].nunique() != COUNTRIES:
        raise ConfigurationError(
            f"{path.name} has {len(data):,} rows and not the {complete:,} of release 6 ({COUNTRIES} countries, "
            f"{FIRST_YEAR}-{LAST_YEAR}): it is incomplete or another release, download it again"
        )
    return data.astype({name: "float64" for name in COLUMNS if name not in _TEXTS} | {"year": "int64"})


def _records(frame: pd.DataFrame) -> Iterator[Row]:
    """Rows with None for a missing value."""
    for row in frame.to_dict("records"):
        yield {str(name): None if value != value else value for name, value in row.items()}


def _misses(cases: pd.DataFrame, found: list[Row], rules: Panel) -> Iterator[str]:
    """Country-years of the post's case after which equities did well, and how many no crisis followed."""
    from assets.compute.diagnostics.country_years import CASE

    case, all_, n = found[0], found[-1], rules.horizon_years
    of_all = all_["mean_real_return_pct"]
    yield (
        f"Misses first: after {case['returned_at_least_the_mean_of_all']} of {case['country_years']} country-years of "
        f"{CASE} equities returned at least the mean of all ({number(of_all, 1)} % real in {n} years), and after "
        f"{case['without_crisis']} no banking crisis began within {n} years."
    )
    well = cases[(cases["regime"] == CASE) & (cases["real_return_pct"] >= (of_all or 0.0))]
    for iso, rows in well.groupby("iso"):
        returns = zip(rows["year"], rows["real_return_pct"], strict=True)
        yield f"  {iso}  {', '.join(f'{year} ({pct:+.0f} %)' for year, pct in returns)}"


def _table(found: list[Row]) -> list[str]:
    def interval(row: Row, name: str) -> str:
        low, high = row[f"{name}_less_all_low"], row[f"{name}_less_all_high"]
        return "-" if low is None else f"{low:+.1f} to {high:+.1f}"

    def outcome(row: Row, name: str) -> list[str]:
        return [number(row[name], 1), number(row[f"{name}_less_all"], 1), interval(row, name)]

    counts = ("country_years", "episodes", "countries", "first_year", "last_year")
    lines = [
        [
            row["regime"],
            *(str(row[name]) for name in counts),
            *outcome(row, "mean_real_return_pct"),
            number(row["median_real_return_pct"], 1),
            *outcome(row, "crisis_share_pct"),
        ]
        for row in found
    ]
    return aligned(_HEADER, lines, _HEADER[1:])
