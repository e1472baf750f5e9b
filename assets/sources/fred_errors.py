"""What FRED may answer instead of figures, each kind of it a class, and none of it with the key.

Belongs here: the kinds of failure, and reading them from status and message. Does not belong here: how often
a failure is tried again (`pacing.py`), what it means for a series (`fred.py`).
"""

from __future__ import annotations

import re

from assets.sources.pacing import Transient, refusal

KEY_PAGE = "https://fredaccount.stlouisfed.org/apikeys"
_KEY_FORM = re.compile(r"[0-9a-z]{32}")
_IN_QUERY = re.compile(r"(api_key=)[^&\s\"'<>]*", re.IGNORECASE)
_LONGEST_MESSAGE = 200


class FredError(Exception):
    """FRED refused a request for good: one line naming what was asked, without the key."""


class KeyRefused(FredError):
    """FRED does not accept the key."""


class KeyDoubted(Transient):
    """FRED refuses the key that it accepted before in this run: a fault of its own, which may pass."""


class SeriesNotFound(FredError):
    """FRED knows no such series."""


class NotInAlfred(FredError):
    """The series is served without vintages (or, as FRED says in the same words, does not exist)."""


class TooManyVintages(FredError):
    """The real-time period holds more vintage dates than one answer may (2,000)."""


class Garbled(Transient):
    """An answer came and cannot be read. May pass by itself; when it does not, what FRED serves is wrong."""

    def __init__(self, message: str, is_empty: bool = False) -> None:
        super().__init__(message)
        self.is_empty = is_empty


class ApiKey:
    """The key, shown to nobody: not by `repr`, not in a pickle, not in a message."""

    __slots__ = ("_text",)

    def __init__(self, text: str | None) -> None:
        """Raises KeyRefused for a text FRED would not take, before anything is sent."""
        stripped = (text or "").strip()
        if not stripped:
            raise KeyRefused(f"there is no FRED key: get one (free) at {KEY_PAGE} and set FRED_API_KEY")
        if not _KEY_FORM.fullmatch(stripped):
            raise KeyRefused(
                "the FRED key is not 32 lower-case letters and digits: copy it again from "
                f"{KEY_PAGE} into FRED_API_KEY"
            )
        self._text = stripped

    def __repr__(self) -> str:
        return "ApiKey(hidden)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("the key is not written anywhere")

    def add_to(self, url: str) -> str:
        """The URL that is sent. Only the client's transport may see it (`http.py`)."""
        return f"{url}{'&' if '?' in url else '?'}api_key={self._text}"

    def hidden_in(self, text: str) -> str:
        """A text on one line in which the key is masked."""
        masked = _IN_QUERY.sub(r"\1***", text.replace(self._text, "***"))
        return " ".join(masked.split())[:_LONGEST_MESSAGE]


def failure_of(status: int, message: str | None, asked: str, retry_after: float | None) -> Exception:
    """The failure an answer states. `message` is FRED's own, masked; None when the answer was no XML error."""
    text = message or ""
    said = f"{asked}: FRED answered {status}" + (f": {text}" if text else "")
    failure = refusal(status, said, retry_after)
    if isinstance(failure, Transient):
        return failure
    if "api_key" in text or status == 401:
        return KeyRefused(
            f"FRED refuses the key ({text or status}): check FRED_API_KEY, or get one at {KEY_PAGE}"
        )
    if "does not exist in ALFRED" in text:
        return NotInAlfred(said)
    if "maximum number of vintage dates" in text:
        return TooManyVintages(said)
    if "series does not exist" in text:
        return SeriesNotFound(said)
    return FredError(said)
