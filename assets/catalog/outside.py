"""Models of `outside_references.toml`: what others dated or measured, and when it agrees with the labels."""

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from assets.catalog.method import Section

Text = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]


class Reading(Section):
    """A value of a reference and where it was read."""

    date: dt.date
    value: float
    source: Text


class BroughtFile(Section):
    """A file of the user's, with the columns `year`, `month` and `column`; `sum_months` of its months are summed."""

    name: Annotated[str, Field(pattern=r"^[\w.-]+\.csv$")]
    column: Text
    sum_months: Annotated[int, Field(ge=1)]


class Agreement(Section):
    """When a month-end is a case, and when a case is a hit. `case` names the side that makes the case."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    statement: Text
    case: Literal["reference", "label"]
    label_column: Literal["condition_state", "stance", "valuation_score"]
    reference_minimum: float | None = None
    reference_below: float | None = None
    label_values: tuple[Text, ...] | None = None
    label_minimum: float | None = None
    label_below: float | None = None
    registered_on: dt.date | None = None
    threshold_share: Share | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.reference_minimum is None) == (self.reference_below is None):
            raise ValueError("key 'reference_minimum': give it or reference_below, not both")
        if [self.label_values, self.label_minimum, self.label_below].count(None) != 2:
            raise ValueError("key 'label_values': give one of label_values, label_minimum and label_below")
        if (self.label_values is None) != (self.label_column == "valuation_score"):
            raise ValueError("key 'label_column': a score has a limit, the other columns have values")
        if (self.registered_on is None) != (self.threshold_share is None):
            raise ValueError("key 'threshold_share': a registered rule has one, an exploratory rule has none")
        return self


class OutsideReference(Section):
    """One reference. Its values come from exactly one of `recessions`, `reference_values`, `reading` and `file`."""

    who: Text
    what: Text
    unit: Text
    rights: Text
    rules: Annotated[tuple[Agreement, ...], Field(min_length=1, alias="rule")]
    recessions: bool = False
    reference_values: tuple[Text, ...] = ()
    readings: Annotated[tuple[Reading, ...], Field(alias="reading")] = ()
    file: BroughtFile | None = None
    source: Text | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        origins = (self.recessions, self.reference_values, self.readings, self.file)
        if sum(map(bool, origins)) != 1:
            raise ValueError("key 'reading': give one of recessions, reference_values, reading and file")
        if (self.source is None) == (self.file is not None):
            raise ValueError("key 'source': for a file, and only for it; other values name their own")
        return self
