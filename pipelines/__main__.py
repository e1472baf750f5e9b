"""The command line: `python -m pipelines`. Parses, calls one command, turns its errors into one line and a status.

Belongs here: arguments, help, exit statuses of errors. Does not belong here: what a command does
(`commands/`, imported only when it is used).
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

from pipelines.full_disk import full_disk
from pipelines.settings import PROFILES, ConfigurationError, parse_date

PROG = "python -m pipelines"
USAGE_ERROR, INTERRUPTED = 2, 130

_DESCRIPTION = (
    "Measures what monetary easing in the United States is poured into: a bubble, a depression, or neither."
)
_EPILOG = """exit status of `run`:
  0    published, also with some inputs stale or missing (the message names them)
  1    blocked: a check failed or a sample file was refused; the previous file is unchanged
  2    wrong usage or configuration, a full disk, or another run is in progress
  3    nothing was published because sources could not be reached: none at all, or, before the first
       publication, so many that the label would be indeterminate (--accept-incomplete publishes)
  130  interrupted by Ctrl-C, SIGTERM or SIGHUP before anything was published

`run` is what `make run` does. Variables are listed in .env.example."""


class _Parser(argparse.ArgumentParser):
    """argparse with its complaint on one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"error: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; `args.module` is the command's module in `pipelines.commands`."""
    parser = _Parser(
        prog=PROG,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)

    run = _command(commands, "run", "run", "run the nightly job once and publish")
    run.add_argument(
        "--profile",
        metavar="P",
        choices=PROFILES,
        help="whose figures: sample (bundled, works without a network) or live (needs FRED_API_KEY); by default live "
        "with a key, else sample",
    )
    run.add_argument(
        "--as-of",
        metavar="DATE",
        type=_date,
        help="use nothing that became known after DATE (YYYY-MM-DD); publishes only in a data directory that has no "
        "newer release (set REGIME_DATA_DIR for another one)",
    )
    run.add_argument(
        "--wait",
        action="store_true",
        help="wait for another run, or a program that has the warehouse open, up to 15 minutes",
    )

    run.add_argument(
        "--accept-incomplete",
        action="store_true",
        help="make a first publication also when the label is indeterminate because inputs could not be reached",
    )

    _command(commands, "show", "show", "print the published regime and its main evidence")

    explain = _command(commands, "explain", "explain", "print every input behind the label of a date")
    explain.add_argument(
        "date",
        metavar="DATE",
        nargs="?",
        type=_date,
        help="YYYY-MM-DD, default the newest row; without a row of its own the nearest earlier one is shown",
    )

    as_of = _command(commands, "as-of", "as_of", "print what was known of a series on a date")
    as_of.add_argument("date", metavar="DATE", type=_date, help="YYYY-MM-DD")
    as_of.add_argument("series", metavar="SERIES", help="identifier of the series, for example UNRATE")

    open_ = _command(
        commands, "open", "open", "print where the published file is, and how to ask it something"
    )
    open_.add_argument("--path", action="store_true", help="print the path alone")

    verify = _command(
        commands, "verify", "verify", "prove a release: its hashes, and its tables computed again"
    )
    verify.add_argument(
        "release", metavar="RELEASE", nargs="?", help="its name, or how it begins; default the published one"
    )

    verify.add_argument(
        "--wait",
        action="store_true",
        help="wait for a run, or a program that has the warehouse open, up to 15 minutes",
    )

    rollback = _command(commands, "rollback", "rollback", "publish an earlier release again")
    rollback.add_argument(
        "release", metavar="RELEASE", nargs="?", help="its name, or how it begins; default the one before"
    )

    backup = _command(commands, "backup", "backup", "copy warehouse and releases to another place")
    backup.add_argument("target", metavar="FOLDER", type=Path, help="a new folder is made inside it")
    backup.add_argument(
        "--wait", metavar="SECONDS", type=_seconds, default=900.0, help="for a run to end (default 900)"
    )

    restore = _command(commands, "restore", "restore", "put a backup in the place of the data directory")
    restore.add_argument("backup", metavar="FOLDER", type=Path, help="what `backup` printed")

    prune = _command(
        commands, "prune", "prune", "remove old runs from Dagster's history; figures are not touched"
    )
    prune.add_argument("--days", metavar="N", type=_days, default=90, help="keep runs this old (default 90)")

    watch = _command(
        commands, "watch", "watch", "look from outside whether all is well, and send the alerts due"
    )
    watch.add_argument(
        "--test",
        action="store_true",
        help="send a test message to every address of REGIME_ALERT_URLS instead",
    )

    settings = _command(
        commands, "settings", "settings", "print profile, date and folders in use, no secrets"
    )
    settings.add_argument(
        "--shell", action="store_true", help="print the folders as `export` lines, for `eval` in a shell"
    )

    _command(
        commands, "doctor", "doctor", "check the installation and say what to do; 1 when something fails"
    )
    return parser


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
        command = importlib.import_module(f"pipelines.commands.{args.module}")
        status: int = command.main(args)
    except ConfigurationError as error:
        return INTERRUPTED if process.is_interrupted() else _failed(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("assets", "checks", "pipelines"):
            raise  # ours: a fault of the project, not of its environment
        return _failed(f"{error.name} is not installed: run `make setup`, and use .venv/bin/python")
    except Exception as error:  # a full disk is met anywhere, as anybody's error; all others go on
        if not (said := _full_disk(error)):
            raise
        return _failed(said)
    return status


def _failed(line: str) -> int:
    print(f"error: {line}", file=sys.stderr)
    return USAGE_ERROR


def _full_disk(error: BaseException | None) -> str | None:
    """What to say of a full disk, found anywhere in the chain of causes."""
    while error is not None:
        if said := full_disk(str(error)):
            return said
        error = error.__cause__ or error.__context__
    return None


def _command(
    commands: argparse._SubParsersAction[_Parser], name: str, module: str, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.set_defaults(module=module)
    return parser


def _seconds(text: str) -> float:
    return float(_days(text))


def _days(text: str) -> int:
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
