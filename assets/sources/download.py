"""A publisher's file: asked for only if it changed, and the link to it on a publisher's page.

`Unreachable` ends the fetch of the publisher. `Unusable` means an answer came and is not the publisher's table.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from assets.sources.http import Answer, Http, Limits, TooLarge, checked_address
from assets.sources.pacing import Patience, Permanent, Transient, refusal
from assets.sources.protocol import Rule

PATIENCE = Patience(attempts=4, longest_wait=60.0)


class Unreachable(Exception):
    """No answer, or none that asking again would change: one line. `failure` is what happened below."""

    def __init__(self, message: str, failure: Exception | None = None) -> None:
        super().__init__(message)
        self.failure = failure


class Unusable(Exception):
    """An answer came and it is not the publisher's table, or not wholly: the rule broken and one line."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule
        self.detail = detail


class File(NamedTuple):
    """What came: the body, where from (no query, which may differ every night), when the server says it changed."""

    content: bytes
    where: str
    last_modified: dt.datetime | None


class Downloader:
    """One publisher's server during one run."""

    def __init__(
        self, address: str, variable: str, patience: Patience | None = None, limits: Limits | None = None
    ) -> None:
        """`variable` names the setting of the address. Raises ValueError for one without https."""
        self.address = checked_address(address, variable)
        self.variable = variable
        self._patience = patience or PATIENCE
        self._http = Http(limits or Limits(), follows_redirects=True)

    @property
    def requests(self) -> int:
        """Requests made so far, repeated ones included."""
        return self._http.requests

    def is_there(self) -> bool:
        """Whether the server takes a connection."""
        return self._http.is_there(self.address)

    def get(
        self, url: str, since: dt.datetime | None = None, query: Mapping[str, str] | None = None
    ) -> File | None:
        """The body at an address; None when the server says it has not changed since a moment.

        Raises Unreachable, Unusable (too large).
        """
        where = without_query(url)
        try:
            answer = self._patience.keep_trying(lambda: self._once(url, since, query))
        except TooLarge as failure:
            raise Unusable("missing_column", str(failure)) from None
        except (Transient, Permanent) as failure:
            raise Unreachable(f"{where}: {failure}", failure) from None
        return None if answer.status == 304 else File(answer.body, where, answer.last_modified)

    def _once(self, url: str, since: dt.datetime | None, query: Mapping[str, str] | None) -> Answer:
        answer = self._http.get(url, query, since)
        if answer.status not in (200, 304):
            raise refusal(answer.status, self._message(answer.status), answer.retry_after)
        return answer

    def _message(self, status: int) -> str:
        """What the server answered, and what the operator can do where asking again does not help."""
        if status == 429:
            return "429, asked too often"
        if status in (404, 410):
            return f"the server answers {status}; if the file has moved, set {self.variable}"
        if status in (401, 403):
            return f"the server answers {status}; if it lets browsers in alone, set {self.variable} to a copy"
        return f"the server answers {status}"


def without_query(url: str) -> str:
    """The address as it may be shown."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def is_page(content: bytes) -> bool:
    """Whether this is a page for people; no file read here begins like one."""
    return content.lstrip()[:1] == b"<"


def linked(page: File, file_name: str, base: str, variable: str) -> str:
    """Address of the first safe link to a file of that name on a page; also from a script's text.

    A link without https is skipped: the page may repeat it encrypted. Raises Unreachable when no link is left: the
    table may be unchanged, at another address. `variable` names the setting that can give its address.
    """
    text = page.content.decode("utf-8", "replace").replace("\\u002F", "/").replace("\\/", "/")
    name = rf"{re.escape(file_name)}(?:\?[^\"'\s<>]*)?"
    # a quoted path anywhere, or the value of an href, quoted or not
    links = rf"""["']\s*([^"'\s<>]*/{name})\s*["']|\bhref\s*=\s*["']?((?:[^"'\s<>]*/)?{name})(?=["'\s>])"""
    problem = f"a page without a link to {file_name}"
    for found in re.finditer(links, text, re.IGNORECASE):
        try:
            return checked_address(urljoin(base, html.unescape(found[1] or found[2])), variable)
        except ValueError:
            problem = f"a page that links {file_name} without https only"
    raise Unreachable(f"{without_query(base)}: {problem}; set {variable} to where it is now")
