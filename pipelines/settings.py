"""The settings of a run: profile, dates, folders, key, pace and addresses, read from the environment and `.env`.

`.env.example` lists the variables. Every fault is one line. Only the standard library is imported at the top, so that
the command line starts at once.
"""

from __future__ import annotations

import datetime as dt
import difflib
import io
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from assets.catalog.models import ReaderKey
    from assets.sources.publishers import Access, Sources

Profile = Literal["sample", "public", "live"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
PROFILE_WORDS: dict[str, str] = {
    "sample": "SAMPLE DATA (bundled figures)",
    "public": "public figures (from their publishers, without a key)",
    "live": "live figures",
}

PROJECT_ROOT = Path(__file__).resolve().parents[1]
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
KNOWN_VARIABLES = (
    "FRED_API_KEY", "FRED_ROOT_URL", "FRED_REQUESTS_PER_SECOND",
    "REGIME_PROFILE", "REGIME_DATA_DIR", "REGIME_AS_OF", "REGIME_PUBLISH_RESTRICTED",
    "REGIME_RETRY_BUDGET_SECONDS", "REGIME_PREFER", "DAGSTER_HOME", "REGIME_ALERT_URLS", *URL_VARIABLES.values(),
)  # fmt: skip
PATH_VARIABLES = ("REGIME_DATA_DIR", "DAGSTER_HOME")
RESTRICTED_VARIABLE = "REGIME_PUBLISH_RESTRICTED"
RESTRICTED_NOTICE = (
    f"{RESTRICTED_VARIABLE}=1: raw figures of restricted series go into the publication; do not pass it on"
)
_OWN_PREFIXES = ("REGIME_", "FRED_")
_RESEMBLES = 0.5  # for a name that begins with a prefix of ours
_IS_ALMOST = 0.85  # for any other name
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST_BUDGET = 6 * 3600
_FASTEST = 1000.0  # requests a second, for a private server


class ConfigurationError(Exception):
    """Wrong usage or configuration: one line with the problem and the way out. Exit status 2."""


class Secret:
    """A text that is never shown: only `reveal` gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; only for a request to its publisher."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be pickled")


@dataclass(frozen=True)
class Folders:
    """Folders and files of an installation, for every profile. All paths are absolute."""

    project_root: Path
    data_dir: Path
    dagster_home: Path

    @property
    def published_path(self) -> Path:
        """The file analysts read."""
        return self.data_dir / "published" / "regime.duckdb"

    @property
    def lock_path(self) -> Path:
        """The run lock of the data directory."""
        return self.data_dir / "run.lock"

    def warehouse_of(self, profile: str) -> Path:
        """The private DuckDB file of a profile; two profiles never share one."""
        return self.data_dir / ("warehouse.duckdb" if profile == "live" else f"{profile}.warehouse.duckdb")


@dataclass(frozen=True)
class Settings(Folders):
    """One run's settings. `run_date` is the date of the newest row; `as_of` is set only when a date was given.

    `publishes_restricted`: raw figures of restricted series go into the publication. `notices` are warnings to print.
    """

    profile: Profile
    as_of: dt.date | None
    run_date: dt.date
    fred_api_key: Secret | None
    publishes_restricted: bool
    notices: tuple[str, ...]

    @property
    def warehouse_path(self) -> Path:
        """The private DuckDB file of the run's profile."""
        return self.warehouse_of(self.profile)


def load_settings(
    *,
    as_of: dt.date | None = None,
    environ: Mapping[str, str] | None = None,
    root: Path = PROJECT_ROOT,
    today: dt.date | None = None,
) -> Settings:
    """Settings of a run. `as_of` (of the command line) overrides REGIME_AS_OF; `today` is for tests.

    Raises ConfigurationError, one line.
    """
    variables = read_environment(environ, root)
    folders = load_folders(variables, root)
    profile = choose_profile(variables)
    if as_of is None and "REGIME_AS_OF" in variables:
        as_of = parse_date(variables["REGIME_AS_OF"], "REGIME_AS_OF")
    run_date = _run_date(profile, as_of, folders, today)
    key = variables.get("FRED_API_KEY")
    publishes_restricted = is_on(variables, RESTRICTED_VARIABLE)
    return Settings(
        **vars(folders),
        profile=profile,
        as_of=as_of,
        run_date=run_date,
        fred_api_key=Secret(key) if key else None,
        publishes_restricted=publishes_restricted,
        notices=(*unknown_variable_lines(variables), *((RESTRICTED_NOTICE,) if publishes_restricted else ())),
    )


def is_on(variables: Mapping[str, str], name: str) -> bool:
    """Whether a switch is on: 1; off is 0 or nothing. Raises ConfigurationError for anything else."""
    text = variables.get(name, "0")
    if text not in ("0", "1"):
        raise ConfigurationError(f"{name} is {text!r}: give 1 or 0")
    return text == "1"


def choose_profile(variables: Mapping[str, str]) -> Profile:
    """The profile of REGIME_PROFILE; without it live with a FRED key, else the sample."""
    requested = variables.get("REGIME_PROFILE")
    if requested not in (None, *PROFILES):
        raise ConfigurationError(
            f"REGIME_PROFILE is {requested!r}: give {', '.join(PROFILES[:-1])} or {PROFILES[-1]}"
        )
    has_key = "FRED_API_KEY" in variables
    if requested == "live" and not has_key:
        from assets.sources.fred_client import KEY_PAGE, TERMS

        raise ConfigurationError(
            f"the profile live needs a FRED key: get one (free) at {KEY_PAGE} and set FRED_API_KEY, or choose the "
            f"profile public, which needs none. {TERMS}"
        )
    if requested == "public":
        return "public"
    return "live" if has_key and requested != "sample" else "sample"


def load_folders(variables: Mapping[str, str], root: Path = PROJECT_ROOT) -> Folders:
    """Data directory and Dagster's home; relative paths start at the project's root, not at the working directory.

    `variables` come from `read_environment`, which has expanded the paths.
    """
    data_dir = root / Path(variables.get("REGIME_DATA_DIR", "data"))
    dagster_home = root / Path(variables.get("DAGSTER_HOME", "dagster_home"))
    return Folders(root, Path(os.path.normpath(data_dir)), Path(os.path.normpath(dagster_home)))


def read_environment(environ: Mapping[str, str] | None = None, root: Path = PROJECT_ROOT) -> dict[str, str]:
    """Variables with a value, from the environment, else from `.env` in the project's root.

    `~`, `$NAME` and `${NAME}` are expanded in paths, and only there: a password may contain a `$`. Raises
    ConfigurationError for a `.env` that cannot be read and for a path that cannot be expanded, naming the line.
    """
    environ = os.environ if environ is None else environ
    file = _read_env_file(root / ".env")
    given = {name: value for name, (value, _) in file.items()} | dict(environ)
    variables = {name: value.strip() for name, value in given.items() if value.strip()}
    for name in PATH_VARIABLES:
        if name in variables:
            where = name if name in environ else f".env:{file[name][1]}: {name}"
            variables[name] = _expanded(variables[name], variables, where)
    return variables


def _read_env_file(path: Path) -> dict[str, tuple[str, int]]:
    """Value and line number by name; empty without a file. No message contains a value: it may be a key."""
    if not path.exists():
        return {}
    from dotenv.parser import parse_stream

    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(".env cannot be read: it is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f".env cannot be read: {(error.strerror or str(error)).lower()}") from None
    found = {}
    for binding in parse_stream(io.StringIO(text)):
        written = binding.original.string
        line = binding.original.line + written[: len(written) - len(written.lstrip())].count("\n")
        if binding.error or (binding.key is not None and not _is_assignment(binding.key, binding.value)):
            raise ConfigurationError(
                f".env:{line} is not understood: write NAME=value, or # before a comment"
            )
        if binding.key is not None:
            found[binding.key] = (binding.value or "", line)
    return found


def _is_assignment(name: str, value: str | None) -> bool:
    return value is not None and "\0" not in value and _NAME.fullmatch(name) is not None


def _expanded(text: str, variables: Mapping[str, str], where: str) -> str:
    """A path with `~` and references to variables replaced. Raises ConfigurationError for what is not defined."""
    try:
        path = os.path.expanduser(Template(text).substitute(variables))
    except KeyError as missing:
        raise ConfigurationError(
            f"{where} refers to ${missing.args[0]}, which is not set: set it, or write the path out"
        ) from None
    except ValueError:
        raise ConfigurationError(
            f"{where} cannot be expanded: only ~, $NAME and ${{NAME}} are, write the path out"
        ) from None
    if path.startswith("~"):
        raise ConfigurationError(
            f"{where} begins with ~, and no such home directory is known: write the path out"
        )
    return path


def unknown_variables(variables: Mapping[str, str]) -> dict[str, str | None]:
    """Variables that are not read, each with the known name it resembles or None.

    All unknown REGIME_* and FRED_* variables; one with another prefix only when it is almost a known one.
    """
    found: dict[str, str | None] = {}
    for name in sorted(set(variables) - set(KNOWN_VARIABLES)):
        prefix = next((p for p in _OWN_PREFIXES if name.upper().startswith(p)), None)
        if prefix is None:
            if almost := difflib.get_close_matches(name.upper(), KNOWN_VARIABLES, n=1, cutoff=_IS_ALMOST):
                found[name] = almost[0]
            continue
        rest = {known.removeprefix(prefix): known for known in KNOWN_VARIABLES if known.startswith(prefix)}
        close = difflib.get_close_matches(name.upper().removeprefix(prefix), rest, n=1, cutoff=_RESEMBLES)
        found[name] = rest[close[0]] if close else None
    return found


def unknown_variable_lines(variables: Mapping[str, str]) -> tuple[str, ...]:
    """One warning line about all variables that look like a typing error; none without such a variable."""
    errors = [
        f"{name} (did you mean {known}?)" for name, known in unknown_variables(variables).items() if known
    ]
    return (f"unknown variables are not read: {', '.join(errors)}",) if errors else ()


def parse_date(text: str, what: str) -> dt.date:
    """A date written YYYY-MM-DD. Raises ConfigurationError naming `what`."""
    try:
        if _DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
    except ValueError:  # no such day: refused below
        pass
    raise ConfigurationError(f"{what} is {text!r}: give a date as YYYY-MM-DD{_month_end(text)}")


def _month_end(text: str) -> str:
    """The last day of a month given as YYYY-MM, as a suggestion."""
    try:
        first = dt.date.fromisoformat(f"{text}-01")
    except ValueError:
        return ""
    return (
        f", for example the month-end {(first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)}"
    )


def _run_date(profile: Profile, given: dt.date | None, folders: Folders, today: dt.date | None) -> dt.date:
    """The given as-of date, else the last day of the profile; refused when it is not covered by the profile."""
    root = folders.project_root
    if profile == "sample":
        last, which = _toml_date(root / "sample_data" / "sample.toml", root, "as_of"), "the sample's last day"
    else:
        last, which = today or dt.datetime.now(ZoneInfo("America/New_York")).date(), "today in New York"
    if given is None:
        return last
    if given > last:
        raise ConfigurationError(f"the as-of date {given} is after {which}, {last}: give an earlier one")
    first = _toml_date(root / "assets" / "catalog" / "method.toml", root, "grid", "start")
    if given < first:
        raise ConfigurationError(
            f"the as-of date {given} is before the first month-end, {first}: give a later one"
        )
    return given


def _toml_date(file: Path, root: Path, *keys: str) -> dt.date:
    where = f"{file.relative_to(root).as_posix()}: {'.'.join(keys)}"
    try:
        found: Any = tomllib.loads(file.read_text(encoding="utf-8"))
        for key in keys:
            found = found[key]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{where} cannot be read ({type(error).__name__})") from None
    if type(found) is not dt.date:
        raise ConfigurationError(f"{where} is not a date")
    return found


def read_access(settings: Settings, variables: Mapping[str, str] | None = None) -> Access:
    """Key, pace and addresses of a run. Raises ConfigurationError, one line."""
    from assets.sources.publishers import Access

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
    from assets.sources.publishers import Sources

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
