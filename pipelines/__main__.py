"""The command line: `python -m pipelines`. Each command is imported only when it is used.

Arguments, help and the exit statuses of errors; what a command does is in `commands/`.
"""

from __future__ import annotations

import sys

from pipelines import process

if __name__ == "__main__":
    process.begin()  # before the other imports: a signal may come at any moment

import argparse
import difflib
import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pipelines.settings import PROFILES, ConfigurationError, parse_date

PROG = "python -m pipelines"
USAGE_ERROR, INTERRUPTED = 2, 130
_WAIT_SECONDS = 15 * 60.0

_DESCRIPTION = (
    "Measures what monetary easing in the United States is poured into: a bubble, a depression, or neither."
)
_EPILOG = """exit status of `run`:
  0    published, also with some inputs stale or missing (the message names them)
  1    blocked: a check or another step failed, or a sample file was refused; the previous file is unchanged
  2    wrong usage or configuration, a full disk, or another run is in progress
  3    nothing was published because sources could not be reached: none at all, or, before the first
       publication, so many that the label would be indeterminate (--accept-incomplete publishes)
  130  interrupted by Ctrl-C, SIGTERM or SIGHUP before anything was published

`run` is what `make run` does. Variables are listed in .env.example."""

_WHAT_IF = """what moves with what:
  A series (UNRATE, DGS10, ...) gets another newest figure, and everything that is computed from it is computed again:
  UNRATE moves the unemployment rate and the Sahm gap, DGS10 the premium over the nominal yield.
  With DGS10 move its monthly average (GS10), the TIPS yield (DFII10, FII10) and, against it, the Baa spread (BAA10Y,
  BAA10YM): breakeven inflation and corporate yields are held still. Name a series to give it a move of its own.
  `spreads` moves all corporate spreads alike, by that much also when yields move. `equities` moves the price in the
  earnings yield, both premia, CAPE, the value to GDP, the fall from the high and the return over twelve months;
  earnings and output are held still.
  A component of regime_evidence (earnings_yield, nfci, ...) is set alone, as in the table distance_to_flip.

what is held still: every figure that is not named, does not follow and is not computed from one that does; the whole
history, so that ranks are taken among the same months; the announcements of the Federal Reserve.

how a move is written:
  UNRATE=5.0      a level, in the unit of the series
  spreads=+2pp    a change in percentage points (or -50bp); for figures in percent
  equities=-20%   a change in percent; for prices, dollars and counts

The label is that of a month-end with these figures; the row of a run date inside a month keeps the state of the last
month-end. A state is entered when its rule has held on several month-ends: `regime_if_it_lasts` is the label then."""


class _Parser(argparse.ArgumentParser):
    """argparse with its error message on one line, and the nearest command for one that does not exist."""

    def error(self, message: str) -> NoReturn:
        wrong = re.match(r"argument COMMAND: invalid choice: '(.*?)' \(choose from (.*)\)$", message)
        if wrong:
            known = re.findall(r"[a-z-]+", wrong[2])
            near = difflib.get_close_matches(wrong[1], known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            message = f"there is no command {wrong[1]!r}: {hint}"
        self.exit(USAGE_ERROR, f"error: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; `args.command` names the module in `pipelines.commands` and the function in it."""
    parser = _Parser(
        prog=PROG,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)

    def add(
        name: str, function: str, text: str, *, prints_rows: bool = False, epilog: str | None = None
    ) -> _Parser:
        command = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(command=function)
        if prints_rows:
            as_data = command.add_mutually_exclusive_group()
            as_data.add_argument(
                "--json", action="store_true", help="print the rows as a list of JSON objects"
            )
            as_data.add_argument("--csv", action="store_true", help="print the rows as CSV with a header")
        return command

    run = add("run", "run.run", "run the nightly job once and publish")
    run.add_argument(
        "--profile",
        metavar="P",
        choices=PROFILES,
        help="source of the figures: sample (bundled, works without a network), public (the publishers' own files, no "
        "key) or live (needs FRED_API_KEY); the default is live with a key, else sample",
    )
    run.add_argument(
        "--as-of",
        metavar="DATE",
        type=_date,
        help="use nothing that became known after DATE (YYYY-MM-DD); publishes only in a data directory that has no "
        "newer release (set REGIME_DATA_DIR for another one)",
    )
    _add_wait(run)
    run.add_argument(
        "--accept-incomplete",
        action="store_true",
        help="make a first publication also when the label is indeterminate because inputs could not be reached",
    )

    add("show", "show.show", "print the published regime and its main evidence", prints_rows=True)

    explain = add("explain", "show.explain", "print every input behind the label of a date", prints_rows=True)
    explain.add_argument(
        "date",
        metavar="DATE",
        nargs="?",
        type=_date,
        help="YYYY-MM-DD, default the newest row; a date without a row shows the nearest earlier one",
    )

    as_of = add(
        "as-of", "show.as_of", "print the values of a series that were known on a date", prints_rows=True
    )
    as_of.add_argument("date", metavar="DATE", type=_date, help="YYYY-MM-DD")
    as_of.add_argument("series", metavar="SERIES", help="identifier of the series, for example UNRATE")

    what_if = add(
        "what-if",
        "what_if.what_if",
        "print label, scores and contributions with figures moved or left out, from the published file",
        prints_rows=True,
        epilog=_WHAT_IF,
    )
    what_if.add_argument(
        "moves", metavar="NAME=VALUE", nargs="*", help="for example UNRATE=5.0 DGS10=3.5 spreads=+2pp"
    )
    what_if.add_argument(
        "--without",
        metavar="NAME",
        action="append",
        default=[],
        help="leave out a component, or every input computed from a series; may be repeated",
    )
    what_if.add_argument("--date", metavar="DATE", type=_date, help="YYYY-MM-DD, default the newest row")

    try_ = add(
        "try",
        "what_if.try_",
        "print the months an own method file labels otherwise, each with its cause; publishes nothing",
        prints_rows=True,
        epilog="The file is TOML like assets/catalog/method.toml, complete or only with what differs, for example\n"
        "  [state.bubble]\n  enter_score = 0.65",
    )
    try_.add_argument(
        "method", metavar="METHOD.toml", type=Path, help="a file of thresholds, weights and windows"
    )

    panel = add(
        "panel",
        "panel.panel",
        "print what followed each label in many countries since 1870, from a data set that you bring",
        prints_rows=True,
        epilog="FILE is release 6 of the Jorda-Schularick-Taylor Macrohistory Database, which macrohistory.net offers\n"
        "for download: JSTdatasetR6 as .xlsx, .dta or .csv. It is only read; nothing is published.",
    )
    panel.add_argument("file", metavar="FILE", type=Path, help="JSTdatasetR6.xlsx, .dta or .csv")
    panel.add_argument(
        "--cases",
        action="store_true",
        help="print every country-year with its figures, scores and label instead",
    )

    open_ = add("open", "show.open_", "print where the published file is, and how to query it")
    open_.add_argument("--path", action="store_true", help="print the path alone")

    sql = add("sql", "show.sql", "print the rows of a query of the published file", prints_rows=True)
    sql.add_argument("query", metavar="QUERY", help="DuckDB's SQL, for example 'FROM regime_current'")

    add("releases", "releases.releases", "list the releases that are kept", prints_rows=True)

    site = add(
        "site",
        "releases.site",
        "add the published release to a static site; pages of old releases stay as they are",
    )
    site.add_argument(
        "folder", metavar="DIR", type=Path, help="folder of the site; made when it is not there"
    )
    site.add_argument(
        "--url",
        metavar="URL",
        default="",
        help="address the site will have, for the links of its feed; without it they are relative",
    )

    verify = add("verify", "releases.verify", "prove a release: its hashes, and its tables computed again")
    verify.add_argument(
        "release",
        metavar="RELEASE",
        nargs="?",
        help="its name, or the beginning of it; default the published one",
    )
    _add_wait(verify)

    rollback = add("rollback", "releases.rollback", "publish an earlier release again")
    rollback.add_argument(
        "release",
        metavar="RELEASE",
        nargs="?",
        help="its name, or the beginning of it; default the one before",
    )

    backup = add("backup", "operate.backup", "copy warehouse and releases to another folder")
    backup.add_argument("target", metavar="FOLDER", type=Path, help="a new folder is made inside it")
    backup.add_argument(
        "--wait", metavar="SECONDS", type=_number, default=900, help="for a run to end (default 900)"
    )

    restore = add("restore", "operate.restore", "replace the data directory by a backup")
    restore.add_argument("backup", metavar="FOLDER", type=Path, help="what `backup` printed")

    prune = add("prune", "operate.prune", "remove old runs from Dagster's history; figures are not touched")
    prune.add_argument(
        "--days", metavar="N", type=_number, default=90, help="keep runs this old (default 90)"
    )

    watch = add("watch", "operate.watch", "check runs, scheduler and figures, and send the alerts due")
    watch.add_argument(
        "--test",
        action="store_true",
        help="send a test message to every address of REGIME_ALERT_URLS instead",
    )

    settings = add(
        "settings", "operate.settings", "print profile, date and folders in use, no secrets", prints_rows=True
    )
    settings.add_argument(
        "--shell", action="store_true", help="print the folders as `export` lines, for `eval` in a shell"
    )

    doctor = add(
        "doctor",
        "doctor.doctor",
        "check the installation and report what to do; 1 when something fails",
        prints_rows=True,
    )
    doctor.add_argument(
        "--sources",
        action="store_true",
        help="instead, fetch one series from every file and interface of the profile public and report what answered",
    )
    return parser


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait",
        action="store_const",
        const=_WAIT_SECONDS,
        default=0.0,
        help="wait for a run, or a program that has the warehouse open, up to 15 minutes",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status. Every expected error is one line on standard error."""
    try:
        status = _status_of(argv)
    except BaseException as error:
        if not (process.is_interrupted() or isinstance(error, KeyboardInterrupt)):
            raise
        status = INTERRUPTED
    if status == INTERRUPTED:
        process.finish_undisturbed()
        print("interrupted; the previous publication is unchanged", file=sys.stderr)
    return status


def _status_of(argv: Sequence[str] | None) -> int:
    try:
        args = build_parser().parse_args(argv)
        module, function = args.command.split(".")
        command = getattr(importlib.import_module(f"pipelines.commands.{module}"), function)
        status: int = command(args)
    except ConfigurationError as error:
        return INTERRUPTED if process.is_interrupted() else _failed(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("assets", "checks", "pipelines"):
            raise  # a fault of the project, not of its environment
        return _failed(f"{error.name} is not installed: run `make setup`, and use .venv/bin/python")
    except Exception as error:  # any package may raise its own error about a full disk
        if not (line := _full_disk(error)):
            raise
        return _failed(line)
    return status


def _failed(line: str) -> int:
    print(f"error: {line}", file=sys.stderr)
    return USAGE_ERROR


def _full_disk(error: BaseException | None) -> str | None:
    """The message about a full disk found anywhere in the chain of causes."""
    while error is not None:
        if line := process.full_disk(str(error)):
            return line
        error = error.__cause__ or error.__context__
    return None


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _date(text: str) -> object:
    try:
        return parse_date(text, "the date")
    except ConfigurationError as error:
        first = "" if text[:1].isdigit() else "; DATE comes first"
        raise argparse.ArgumentTypeError(f"{error}{first}") from None


if __name__ == "__main__":
    try:
        status = main()
    except SystemExit as left:  # argparse's
        status = left.code if isinstance(left.code, int) else USAGE_ERROR
    sys.exit(process.end(status))
