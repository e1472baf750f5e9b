"""The command line: `python -m pipelines`. Each command is imported only when it is used.

Arguments, help and the exit statuses of errors; what a command does is in `commands/`.
"""

from __future__ import annotations

import sys

from pipelines import process

if __name__ == "__main__":
    process.begin()  # before the other imports: a signal may come at any moment

import argparse
import importlib
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


class _Parser(argparse.ArgumentParser):
    """argparse with its error message on one line."""

    def error(self, message: str) -> NoReturn:
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

    def add(name: str, function: str, text: str) -> _Parser:
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command.set_defaults(command=function)
        return command

    run = add("run", "run.run", "run the nightly job once and publish")
    run.add_argument(
        "--profile",
        metavar="P",
        choices=PROFILES,
        help="source of the figures: sample (bundled, works without a network) or live (needs FRED_API_KEY); the "
        "default is live with a key, else sample",
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

    add("show", "show.show", "print the published regime and its main evidence")

    explain = add("explain", "explain.explain", "print every input behind the label of a date")
    explain.add_argument(
        "date",
        metavar="DATE",
        nargs="?",
        type=_date,
        help="YYYY-MM-DD, default the newest row; a date without a row shows the nearest earlier one",
    )

    as_of = add("as-of", "as_of.as_of", "print the values of a series that were known on a date")
    as_of.add_argument("date", metavar="DATE", type=_date, help="YYYY-MM-DD")
    as_of.add_argument("series", metavar="SERIES", help="identifier of the series, for example UNRATE")

    open_ = add("open", "show.open_", "print where the published file is, and how to query it")
    open_.add_argument("--path", action="store_true", help="print the path alone")

    site = add(
        "site",
        "site.site",
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

    backup = add("backup", "backup.backup", "copy warehouse and releases to another folder")
    backup.add_argument("target", metavar="FOLDER", type=Path, help="a new folder is made inside it")
    backup.add_argument(
        "--wait", metavar="SECONDS", type=_number, default=900, help="for a run to end (default 900)"
    )

    restore = add("restore", "backup.restore", "replace the data directory by a backup")
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

    settings = add("settings", "operate.settings", "print profile, date and folders in use, no secrets")
    settings.add_argument(
        "--shell", action="store_true", help="print the folders as `export` lines, for `eval` in a shell"
    )

    add("doctor", "doctor.doctor", "check the installation and report what to do; 1 when something fails")
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
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    try:
        status = main()
    except SystemExit as left:  # argparse's
        status = left.code if isinstance(left.code, int) else USAGE_ERROR
    sys.exit(process.end(status))
