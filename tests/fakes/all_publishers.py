"""What FRED and the four publishers of files serve on a day: the sample's figures, made-up restricted ones."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.catalog.models import SourceKey
from tests.fakes import fed_board, fiscal_data, shiller, world_bank
from tests.fakes.fred_world import END as WORLD_END
from tests.fakes.fred_world import World, add_releases, as_published, figures, first_known, sample_world
from tests.fakes.publishers import PUBLISHERS
from tests.fakes.server import Answer, Loopback, running

END: dt.date = WORLD_END.item()


@contextmanager
def publishers_of_the_sample() -> Iterator[dict[str, str]]:
    """The publishers of files serving the sample's figures; their addresses by environment variable."""
    with ExitStack() as stack:
        servers = {key: stack.enter_context(running(Loopback({}))) for key in PUBLISHERS}
        for key, routes in routes_of(END, servers["shiller"].root).items():
            servers[key].routes = routes
        yield {p.source.variable: servers[key].root + p.path for key, p in PUBLISHERS.items()}


def label_world(today: dt.date) -> World:
    """FRED's part of the sample, and every other series of FRED that a label of the live profile reads."""
    world, catalog = sample_world(today), load_catalog()
    for name, values in _only_live().items():
        observation = values.index.to_numpy().astype("datetime64[D]")
        one = as_published(catalog.series[name], observation, values.to_numpy())
        world.series[name] = one
    add_releases(world)
    return world


@functools.cache
def _only_live() -> dict[str, pd.Series]:
    """Series of FRED that the sample lacks, no two relations of them at odds with each other."""
    days = share_prices().index
    credit = 2.2 + 1.1 * np.sin(np.arange(len(days)) / 160.0) + 0.05 * np.sin(np.arange(len(days)) / 7.0)
    baa = pd.Series(np.round(credit, 2), days)
    monthly = baa.groupby(days.to_period("M")).mean().round(4)
    price = share_prices()
    profits, ratio, gdp = (_sampled(name) for name in ("CP", "NCBEILQ027S_GDP_PCT", "GDP"))
    return {
        "BAA10Y": baa["1986":],
        "BAA10YM": monthly.set_axis(monthly.index.to_timestamp()),
        "BAMLH0A0HYM2": (baa + 2.5).round(2)["2023-05":],  # its provider serves three years
        "SP500": price["2016-06":].round(2),  # and ten
        "NFCPATAX": (0.7 * profits).round(3),
        "NCBEILQ027S": (10.0 * ratio * gdp).dropna().round(0),
    }


def _sampled(series_id: str) -> pd.Series:
    observation, value = figures(series_id)
    return pd.Series(value, pd.DatetimeIndex(observation.astype("datetime64[ns]")))


def _public(series_id: str, day: dt.date) -> pd.Series:
    """The sample's figures of a series that were out on a day."""
    observation, value = figures(series_id)
    known = first_known(load_catalog().series[series_id], observation) <= np.datetime64(day, "D")
    return pd.Series(value[known], pd.DatetimeIndex(observation[known].astype("datetime64[ns]")))


def _until(series_id: str, day: dt.date) -> dict[str, str]:
    """The same by ISO day, as text."""
    known = _public(series_id, day)
    return {f"{at:%Y-%m-%d}": "" if np.isnan(value) else repr(value) for at, value in known.items()}


def routes_of(day: dt.date, root: str) -> dict[SourceKey, dict[str, Answer]]:
    """Paths and bodies of each publisher; `root` is where Shiller's page is."""
    saved = dt.datetime.combine(day, dt.time(12), dt.UTC)
    found = functools.partial(_until, day=day)
    site = shiller.served(shiller_workbook(found, day), root, saved)
    return {
        "fed_board": fed_board.served(premium_file(found), saved),
        "fiscal_data": {fiscal_data.PATH: fiscal_data.answer(debt_rows(found))},
        "shiller": site,
        "world_bank": world_bank.served(world_bank.new_workbook(pink_sheet(found)), saved),
    }


Found = Callable[[str], Mapping[str, str]]  # figures of a series by ISO day, as text


def premium_file(found: Found) -> bytes:
    """The Board's file."""
    premium, spread = found("EBP"), found("GZ_SPREAD")
    days = sorted(premium.keys() | spread.keys())
    lines = [f"{day},{spread.get(day, '')},{premium.get(day, '')}," for day in days]
    return "\n".join([fed_board.HEADER, *lines, ""]).encode()


def debt_rows(found: Found) -> list[fiscal_data.Row]:
    """Rows of the debt table."""
    bills = found("MSPD_BILLS").items()
    total = found("MSPD_TOTAL_MARKETABLE").items()
    return [
        *(fiscal_data.row(day, "Marketable", "Bills", value or "null", 1) for day, value in bills),
        *(fiscal_data.row(day, "Total Marketable", "_", value or "null", 7) for day, value in total),
    ]


def pink_sheet(found: Found) -> world_bank.Sheet:
    """Rows of the Pink Sheet."""
    rows = world_bank.small_sheet(months=0)
    for day, value in found("GOLD_WB_MONTHLY").items():
        rows.append([f"{day[:4]}M{day[5:7]}", 70.5, "..", float(value) if value else ".."])
    return rows


@functools.cache
def share_prices() -> pd.Series:
    """A share price of every business day to the end: eight percent a year, and slumps."""
    days = pd.bdate_range("1975-01-01", END)
    years = np.arange(len(days)) / 261.0
    noise = np.random.default_rng(11).normal(0, 0.007, len(days)).cumsum()
    return pd.Series(90.0 * np.exp(0.08 * years + 0.25 * np.sin(years / 1.3) + 0.3 * noise), days)


def shiller_workbook(found: Found, day: dt.date) -> bytes:
    """Shiller's sheet as it stands on a day: made-up prices and earnings, the sample's consumer prices."""
    price = share_prices()
    monthly = price.groupby(price.index.strftime("%Y-%m")).mean().round(2)
    years = np.arange(len(monthly)) / 12.0
    earnings = (monthly * (0.055 + 0.02 * np.sin(years / 2.1))).round(3)
    index = {at[:7]: float(value) for at, value in found("CPIAUCSL").items() if value}
    return shiller.old_workbook(shiller.long_sheet(day, monthly.to_dict(), earnings.to_dict(), index))
