"""The Fed Board's releases as they are served: SDMX-ML in a zip, in the layout of the stored H.15 and H.6 files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>  <message:MessageGroup '
    'xmlns:message="http://www.SDMX.org/resources/SDMXML/schemas/v1_0/message"  '
    'xmlns:common="http://www.SDMX.org/resources/SDMXML/schemas/v1_0/common"  '
    'xmlns:frb="http://www.federalreserve.gov/structure/compact/common">'
    "<message:Header><message:ID>{release}</message:ID><message:Source>The Data Download Program ends.\n"
    "</message:Source></message:Header>\r\n"
)
_DATASET = '<frb:DataSet id="{release}" xmlns:kf="http://www.federalreserve.gov/structure/compact/{release}_{release}">\r\n'
_TAIL = "</frb:DataSet>\r\n</message:MessageGroup>\r\n"


class Made(NamedTuple):
    """One series of a release: UNIT, UNIT_MULT, and pairs of ISO date and value (None: not published)."""

    unit: str
    multiplier: str
    rows: Iterable[tuple[str, float | None]]


def xml(release: str, series: Mapping[str, Made], *, sentinel: str = "-9999", padding: int = 0) -> bytes:
    """The release's XML, with `padding` further series as long as the longest one, for its real size."""
    blocks = [_series(code, made, sentinel) for code, made in series.items()]
    long = max(blocks, key=len)
    name = next(code for code in series if f'"{code}"' in long)
    blocks += [long.replace(f'"{name}"', f'"PADDING{n}_N.WW"') for n in range(padding)]
    return "".join([_HEAD.format(release=release), _DATASET.format(release=release), *blocks, _TAIL]).encode()


def _series(code: str, made: Made, sentinel: str) -> str:
    rows = "".join(
        f'<frb:Obs OBS_STATUS="ND" OBS_VALUE="{sentinel}" TIME_PERIOD="{day}"/>\r\n'
        if value is None
        else f'<frb:Obs OBS_STATUS="A" OBS_VALUE="{value!r}" TIME_PERIOD="{day}"/>\r\n'
        for day, value in made.rows
    )
    return (
        f'<kf:Series CURRENCY="USD" FREQ="19" SERIES_NAME="{code}" UNIT="{made.unit}" '
        f'UNIT_MULT="{made.multiplier}">\r\n'
        "<frb:Annotations>\r\n<common:Annotation><common:AnnotationText>made for tests</common:AnnotationText>\r\n"
        f"</common:Annotation></frb:Annotations>\r\n{rows}</kf:Series>\r\n"
    )


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip of those files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def release_zip(
    release: str, series: Mapping[str, Made], *, sentinel: str = "-9999", padding: int = 0
) -> bytes:
    """The file `FRB_<rel>_xml.zip`."""
    content = xml(release, series, sentinel=sentinel, padding=padding)
    return zipped(
        {f"{release}_data.xml": content, f"{release}_struct.xml": b"<x/>", "frb_common.xsd": b"<x/>"}
    )


def path(release: str) -> str:
    """Where the Board serves it, below its address."""
    return f"/{release.lower()}/data/FRB_{release.lower()}_xml.zip"
