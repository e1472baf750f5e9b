"""The profile public: every series from its carrier (`assets/catalog/carriers.toml`), each reader made once a run.

A new reader is one line in READERS and one entry per series in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from assets.catalog.models import ReaderKey, Series
from assets.sources.fed_board import FedBoardSource
from assets.sources.file_source import RETRIES
from assets.sources.fiscal_data import FiscalDataSource, MtsSource
from assets.sources.pacing import RetryBudget, RetryPolicy
from assets.sources.protocol import Known, Part, Payload, PayloadRefused, Source, SourceUnreachable
from assets.sources.public.bea import BeaSource
from assets.sources.public.bls import BlsSource
from assets.sources.public.board import BoardSource
from assets.sources.public.claims import ClaimsSource
from assets.sources.public.hqm import HqmSource
from assets.sources.public.nfci import NfciSource
from assets.sources.public.nyfed import NewYorkFedSource
from assets.sources.public.rtdsm import RealTimeDataSet
from assets.sources.public.shared import carrier_of
from assets.sources.public.z1 import FinancialAccountsSource
from assets.sources.sample import SampleSource
from assets.sources.shiller import ShillerSource
from assets.sources.world_bank import WorldBankSource

# today's figure over the newest vintage's, median: dollars of two base years lie within it
_SAME_SCALE = (0.2, 5.0)
# Made of the address that replaces the publisher's own, if one is set, and how failed requests are repeated.
READERS: Mapping[ReaderKey, Callable[[str | None, RetryPolicy], Source]] = {
    "bea": BeaSource,
    "bls": BlsSource,
    "board": BoardSource,
    "claims": ClaimsSource,
    "nyfed": NewYorkFedSource,
    "z1": FinancialAccountsSource,
    "fed_board": FedBoardSource,
    "fiscal_data": FiscalDataSource,
    "hqm": HqmSource,
    "mts": MtsSource,
    "nfci": NfciSource,
    "shiller": ShillerSource,
    "world_bank": WorldBankSource,
}


class Completed(Source):
    """A publisher's source, with what it lacks: bundled figures before its first, and vintages from a workbook."""

    def __init__(self, source: Source, bundle: Source, data_set: RealTimeDataSet) -> None:
        self._source, self._bundle, self._data_set = source, bundle, data_set

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """Today's figures, and the vintages if their workbook has changed; a note when it cannot be reached.

        The first vintages of an archive come with all of today's figures, which may differ from the newest vintage.
        An archive that has ALFRED's vintages, which begin with the first publication, gets none. Raises as the source
        does, and PayloadRefused for a wrong workbook.
        """
        file = carrier_of(series).vintages
        if known is not None and known.newest_vintage is not None:
            return _without_vintages(self._today(series, known))
        try:
            rows = self._data_set.rows(series, file, known) if file is not None else None
        except SourceUnreachable as failure:
            payload = self._today(series, known)
            return replace(payload, notes=(*payload.notes, f"no vintages: {failure}"))
        if rows is None:
            return self._today(series, known)
        has_some = known is not None and known.vintages_at is not None
        payload = self._today(series, known if has_some else None)
        _check_scale(payload, rows)
        return replace(
            payload,
            observations=pd.concat([payload.observations, rows], ignore_index=True),
            is_unchanged=False,
            vintage_source="rtdsm",
        )

    def _today(self, series: Series, known: Known | None) -> Payload:
        """The source's figures, with the bundled ones before its first where the carrier says so."""
        payload = self._source.fetch(series, known)
        if not carrier_of(series).is_bundled_before or not payload.is_complete:
            return payload
        first = payload.observations["observation_date"].min()
        older = self._bundle.fetch(series).observations
        older = older[older["observation_date"] < first]
        if older.empty:
            return payload
        return replace(
            payload,
            observations=pd.concat([older, payload.observations], ignore_index=True),
            notes=(*payload.notes, f"bundled figures before {first:%Y-%m-%d}"),
        )

    @property
    def requests(self) -> int:
        """Requests sent so far, retries included."""
        return self._source.requests + self._data_set.requests

    def probe(self) -> None:
        """One request to the publisher of today's figures."""
        self._source.probe()


class CarriedSource(Source):
    """The readers of one run. It fetches nothing itself: `parts` gives each series to its reader."""

    def __init__(self, urls: Mapping[ReaderKey, str], budget: RetryBudget, root: Path) -> None:
        """`urls` replace the publishers' own addresses; `root` is the project's, for the bundle."""
        self._urls, self._retries = urls, replace(RETRIES, budget=budget)
        self._made: dict[ReaderKey, Source] = {"sample": SampleSource(root)}
        self._vintages = RealTimeDataSet(urls.get("rtdsm"), self._retries)

    def parts(self, series: list[Series]) -> list[Part]:
        """One part per reader, in the order of the series. Raises ValueError for an address without https."""
        served: dict[ReaderKey, list[Series]] = {}
        for one in series:
            assert one.carrier is not None, one.series_id  # the loader puts no other series into this profile
            served.setdefault(one.carrier.reader, []).append(one)
        bundle = self._made["sample"]
        return [
            Part(
                f"raw/{of[0].source} from {reader}",
                Completed(self.reader(reader), bundle, self._vintages),
                of,
            )
            for reader, of in served.items()
        ]

    def reader(self, key: ReaderKey) -> Source:
        """The reader of that name, the same one during the run."""
        if key not in self._made:
            self._made[key] = READERS[key](self._urls.get(key), self._retries)
        return self._made[key]

    def preferred_to(self, fred: Source) -> Source:
        """FRED for the series that only FRED serves in full and in time; the readers for the others."""
        return _PublishersFirst(self, fred)


class _PublishersFirst(Source):
    """What the variable REGIME_PREFER=publishers asks for. FRED stands for both where one source is asked."""

    def __init__(self, carried: CarriedSource, fred: Source) -> None:
        self._carried, self._fred = carried, fred

    def parts(self, series: list[Series]) -> list[Part]:
        """The parts of the readers, and FRED's. Raises ValueError for an address without https."""
        of_publishers = [one for one in series if is_served_as_well(one)]
        of_fred = [one for one in series if not is_served_as_well(one)]
        return [*self._carried.parts(of_publishers), *(self._fred.parts(of_fred) if of_fred else [])]

    def probe(self) -> None:
        """One request to FRED, which tries the key."""
        self._fred.probe()


def is_served_as_well(series: Series) -> bool:
    """Whether a publisher serves the history of a series as soon as FRED does, and not only its end."""
    carrier = series.carrier
    if carrier is None or carrier.reader == "sample":
        return False
    return carrier.staleness_limit_days is None and not carrier.is_bundled_before


def _check_scale(payload: Payload, rows: pd.DataFrame) -> None:
    """Refuse vintages of another order of magnitude than today's figures: another series, or another unit."""
    newest = rows.drop_duplicates("observation_date", keep="last")
    both = payload.observations.merge(newest, on="observation_date")
    ratio = (both["value_x"] / both["value_y"]).abs().median()
    if len(both) and not _SAME_SCALE[0] <= ratio <= _SAME_SCALE[1]:
        detail = f"today's figures are {ratio:.3g} times those of the newest vintage (median)"
        raise PayloadRefused(
            "unit_changed", payload.series_id, payload.where, detail, "look at the workbook of its vintages"
        )


def _without_vintages(payload: Payload) -> Payload:
    """The newest figure of each observation, as a publisher serves it that keeps no vintages."""
    if not payload.has_vintages:
        return payload
    # a row without a vintage sorts last: it is today's figure
    rows = payload.observations.sort_values("realtime_start", kind="stable")
    newest = rows.drop_duplicates("observation_date", keep="last").sort_values("observation_date")
    return replace(payload, observations=newest.assign(realtime_start=np.datetime64("NaT", "s")))
