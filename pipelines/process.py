"""The process of a command: signals, standard streams and warnings, whatever it was started with.

Belongs here: what must be right before anything else is loaded; only the standard library is imported. Does not belong
here: arguments and exit statuses (`__main__.py`).
"""

from __future__ import annotations

import errno
import io
import logging
import os
import signal
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

_READER_IS_GONE = (errno.EPIPE, errno.EBADF, errno.EIO)
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class _State:
    """`signals` is the reading end of the pipe into which the interpreter writes every signal it gets."""

    signals: int | None = None
    is_interrupted = False


def begin() -> None:
    """Prepare the process of a command; once, in the main thread, before anything is printed."""
    _listen()
    _open_missing_streams()
    sys.stdout, sys.stderr = _patient(sys.stdout), _patient(sys.stderr)
    _calm_warnings()


def end(status: int) -> int:
    """The exit status when everything is written: from here on nothing interrupts. 2 when the output was not taken."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.stdout.flush()
    failed = getattr(getattr(getattr(sys.stdout, "buffer", None), "raw", None), "failed", None)
    if failed is not None:
        print(f"error: the output could not be written: {failed.strerror}", file=sys.stderr)
        status = status or 2
    sys.stderr.flush()
    return status


def is_interrupted() -> bool:
    """Whether this process was asked to end, by Ctrl-C, SIGTERM or SIGHUP, whoever handled the signal.

    Dagster, DuckDB and others turn a signal into errors of their own; no error needs to be recognised here.
    """
    if _State.signals is not None:
        with suppress(BlockingIOError):
            while read := os.read(_State.signals, 512):
                _State.is_interrupted |= any(number in _SIGNALS for number in read)
    return _State.is_interrupted


def finish_undisturbed() -> None:
    """Ignore further signals, for the little that is left to do after an interruption."""
    if _State.signals is not None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def ensure_home(folder: Path) -> None:
    """Give packages a home directory where neither HOME nor the system names one: several look for theirs on import.

    Called after the settings are read, in which `~` is an error then.
    """
    if os.path.expanduser("~").startswith("~"):
        os.environ["HOME"] = str(folder)


def _listen() -> None:
    _State.signals, write = os.pipe()
    for handle in (_State.signals, write):
        os.set_blocking(handle, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # also where a shell started us in the background
    for number in _SIGNALS[1:]:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP on purpose
            signal.signal(number, _as_ctrl_c)
    sys.unraisablehook = _say_unraisable
    if logging.lastResort is not None:  # loggers of packages that nobody has configured print through it
        logging.lastResort.addFilter(
            lambda _: not is_interrupted()
        )  # SQLAlchemy logs a traceback when interrupted


def _as_ctrl_c(number: int, frame: FrameType | None) -> Any:
    """Whoever handles Ctrl-C at the moment handles this signal: Dagster postpones it while it writes its history."""
    handler = signal.getsignal(signal.SIGINT)
    return handler(number, frame) if callable(handler) else None


def _say_unraisable(unraisable: Any) -> None:
    """An interruption in a destructor or callback is no fault to print; everything else is."""
    if not is_interrupted():
        sys.__unraisablehook__(unraisable)


def _open_missing_streams() -> None:
    """A closed standard stream becomes the null device: its number must not be given to the next file opened."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(handle, True)
            setattr(sys, name, os.fdopen(handle, mode, encoding="utf-8", closefd=False))


class _Patient(io.FileIO):
    """A stream whose reader may go away: the work goes on, and what is printed then is lost."""

    failed: OSError | None = None

    def write(self, data: Any, /) -> int | None:  # type: ignore[override]
        """Never raises OSError; `failed` is one that is not about a reader who left."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _READER_IS_GONE:
                self.failed = error
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)
            return len(memoryview(data).cast("B"))


def _patient(stream: TextIO) -> TextIO:
    raw = _Patient(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream is sys.stderr or stream.isatty(),
        write_through=stream is sys.stderr,
    )


def _calm_warnings() -> None:
    """A warning of a package is no fault of a run: with `-W error` it would block a publication."""
    if any(option.startswith("error") for option in sys.warnoptions):
        os.environ.pop("PYTHONWARNINGS", None)  # for the processes of a run
        warnings.resetwarnings()
        for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", kind)
