"""How a run reaches its publishers: key, pace and addresses from the environment, and whether FRED accepts the key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.settings import ConfigurationError, Settings, read_environment

if TYPE_CHECKING:
    from assets.catalog.models import ReaderKey
    from assets.sources.registry import Access, Sources

URL_VARIABLES: dict[ReaderKey, str] = {
    "fiscal_data": "FISCAL_DATA_URL",
    "fed_board": "FED_BOARD_URL",
    "shiller": "SHILLER_URL",
    "world_bank": "WORLD_BANK_URL",
    "board": "BOARD_RELEASES_URL",
    "z1": "BOARD_RELEASES_URL",
    "nyfed": "NYFED_URL",
    "bea": "BEA_URL",
    "bls": "BLS_URL",
    "mts": "MTS_URL",
    "hqm": "HQM_URL",
    "nfci": "CHICAGO_FED_URL",
    "rtdsm": "PHILADELPHIA_FED_URL",
    "claims": "CLAIMS_URL",
}
_LONGEST_BUDGET = 6 * 3600
_FASTEST = 1000.0  # requests a second, for a private server


def read_access(settings: Settings, variables: Mapping[str, str] | None = None) -> Access:
    """Key, pace and addresses of a run. Raises ConfigurationError, one line."""
    from assets.sources.registry import Access

    found = read_environment(root=settings.project_root) if variables is None else variables
    return Access(
        profile=settings.profile,
        project_root=settings.project_root,
        fred_api_key=settings.fred_api_key,
        fred_root_url=_address(found, "FRED_ROOT_URL"),
        fred_requests_per_second=_pace(found),
        retry_budget_seconds=_retry_budget(found),
        prefers_publishers=_prefers_publishers(found),
        urls={key: url for key, name in URL_VARIABLES.items() if (url := _address(found, name)) is not None},
    )


def open_sources(
    settings: Settings,
    variables: Mapping[str, str] | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> Sources:
    """The publishers of a run, after one request that tries FRED's key; `log` gets a line when FRED does not answer.

    Raises ConfigurationError for a refused key.
    """
    from assets.sources.protocol import CredentialsRefused
    from assets.sources.registry import Sources

    sources = Sources(read_access(settings, variables))
    try:
        failure = sources.check()
    except (CredentialsRefused, ValueError) as error:
        raise ConfigurationError(str(error)) from None
    if failure is not None:
        log(failure)
    return sources


def _retry_budget(variables: Mapping[str, str]) -> float:
    from assets.sources.pacing import BUDGET_SECONDS

    text = variables.get("REGIME_RETRY_BUDGET_SECONDS")
    if text is None:
        return BUDGET_SECONDS
    if not text.isascii() or not text.isdecimal() or int(text) > _LONGEST_BUDGET:
        raise ConfigurationError(
            f"REGIME_RETRY_BUDGET_SECONDS is {text!r}: give whole seconds from 0 to {_LONGEST_BUDGET}"
        )
    return float(text)


def _prefers_publishers(variables: Mapping[str, str]) -> bool:
    text = variables.get("REGIME_PREFER")
    if text not in (None, "publishers"):
        raise ConfigurationError(f"REGIME_PREFER is {text!r}: give publishers, or remove it")
    return text is not None


def _pace(variables: Mapping[str, str]) -> float | None:
    text = variables.get("FRED_REQUESTS_PER_SECOND")
    if text is None:
        return None
    try:
        pace = float(text)
    except ValueError:
        pace = 0.0
    if not 0 < pace <= _FASTEST:
        raise ConfigurationError(
            f"FRED_REQUESTS_PER_SECOND is {text!r}: give a number above 0, at FRED itself at most 2"
        )
    return pace


def _address(variables: Mapping[str, str], name: str) -> str | None:
    text = variables.get(name)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise ConfigurationError(f"{name} is not an address like https://example.org/path")
    return text
