"""The process of a command: signals, standard streams and a full disk. Imports the standard library only."""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

_READER_LEFT = (errno.EPIPE, errno.EBADF, errno.EIO)
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


_FULL_DISK = re.compile(r"No space left|disk is full|disk quota exceeded", re.IGNORECASE)
_LONGEST = 160


class _State:
    """`signals` is the read end of the pipe into which the interpreter writes every signal it gets."""

    signals: int | None = None
    is_interrupted = False


def begin() -> None:
    """Prepare the process of a command; once, in the main thread, before anything is printed."""
    _listen_for_signals()
    sys.stdout, sys.stderr = _closable(sys.stdout), _closable(sys.stderr)


def end(status: int) -> int:
    """Flush the output, ignore further signals, and return the exit status: 2 when the output could not be written."""
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
    """Whether this process received Ctrl-C, SIGTERM or SIGHUP.

    Read from the interpreter's wake-up pipe, because Dagster, DuckDB and others turn a signal into their own errors.
    """
    if _State.signals is not None:
        with suppress(BlockingIOError):  # no more signals in the pipe
            while read := os.read(_State.signals, 512):
                _State.is_interrupted |= any(number in _SIGNALS for number in read)
    return _State.is_interrupted


def finish_undisturbed() -> None:
    """Ignore further signals while the work after an interruption is completed."""
    if _State.signals is not None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def print_progress(line: str) -> None:
    """Print to standard error, so that standard output holds results alone."""
    print(line, file=sys.stderr, flush=True)


def full_disk(text: str) -> str | None:
    """The line to print when an error message reports a full disk, else None."""
    line = next((line.strip() for line in text.splitlines() if _FULL_DISK.search(line)), None)
    if line is None:
        return None
    shown = line if len(line) <= _LONGEST else f"...{line[-_LONGEST:]}"  # the reason is at the end
    return f"the disk is full ({shown}): free some space and run again; the published file is unchanged"


def ensure_home(folder: Path) -> None:
    """Set HOME to `folder` when there is no home directory: several packages look for one on import.

    Call it after the settings are read, so that `~` in a path is still an error.
    """
    if os.path.expanduser("~").startswith("~"):
        os.environ["HOME"] = str(folder)


def _listen_for_signals() -> None:
    _State.signals, write = os.pipe()
    for handle in (_State.signals, write):
        os.set_blocking(handle, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a background process of a shell ignores it otherwise
    for number in _SIGNALS[1:]:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP on purpose
            signal.signal(number, _as_ctrl_c)
    sys.unraisablehook = _report_unraisable
    if logging.lastResort is not None:  # SQLAlchemy logs a traceback through it when interrupted
        logging.lastResort.addFilter(lambda _: not is_interrupted())


def _as_ctrl_c(number: int, frame: FrameType | None) -> Any:
    """Pass the signal to the current Ctrl-C handler: Dagster postpones it while it writes its history."""
    handler = signal.getsignal(signal.SIGINT)
    return handler(number, frame) if callable(handler) else None


def _report_unraisable(unraisable: Any) -> None:
    """Print an error of a destructor or callback, unless an interruption caused it."""
    if not is_interrupted():
        sys.__unraisablehook__(unraisable)


class _ClosableStream(io.FileIO):
    """A stream whose reader may close it: the work continues and later output is discarded."""

    failed: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Never raises OSError; `failed` is the error, unless the reader closed the stream."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _READER_LEFT:
                self.failed = error
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)
            return len(memoryview(data).cast("B"))


def _closable(stream: TextIO) -> TextIO:
    raw = _ClosableStream(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream is sys.stderr or stream.isatty(),
        write_through=stream is sys.stderr,
    )
