"""Pictures in time."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class MonthCount(BaseModel):
    """How many pictures a month has."""

    month: str = Field(examples=["2021-08"])
    count: int


class DayCount(BaseModel):
    """How many pictures a day has."""

    day: str = Field(examples=["2021-08-14"])
    count: int


class YearCount(BaseModel):
    """How many pictures a year has."""

    year: str = Field(examples=["2021"])
    count: int


class Months(BaseModel):
    """Months that have pictures, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"total": 412, "counts": [{"month": "2021-08", "count": 412}]}]}
    )

    total: int
    counts: list[MonthCount]


class Days(BaseModel):
    """Days that have pictures, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"total": 12, "counts": [{"day": "2021-08-14", "count": 12}]}]}
    )

    total: int
    counts: list[DayCount]


class Years(BaseModel):
    """Years that have pictures, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"total": 4120, "counts": [{"year": "2021", "count": 4120}]}]}
    )

    total: int
    counts: list[YearCount]


class TimelineRow(BaseModel):
    """What a page shows of a picture."""

    id: str
    v: str | None = Field(description="For addresses of its derivatives that never change: `?v=`.")
    taken_at: str = Field(description="By the clock on the wall where it was taken.")
    width: int | None
    height: int | None
    thumbhash: str | None = Field(description="In base64.")
    kind: str
    rating: int | None
    favourite: bool


class TimelinePage(BaseModel):
    """Pictures, newest first. `older` goes to `after`, `newer` to `before`; null: nothing is there now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rows": [
                        {
                            "id": "6f1ed002-ab55-8591-9014-709e51c0d2c7",
                            "v": "6f1ed002ab559585",
                            "taken_at": "2021-08-14T18:03:12",
                            "width": 6000,
                            "height": 4000,
                            "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
                            "kind": "image",
                            "rating": 4,
                            "favourite": True,
                        }
                    ],
                    "older": "AAABe0Z7wQAAAAAB",
                    "newer": None,
                }
            ]
        }
    )

    rows: list[TimelineRow]
    older: str | None
    newer: str | None


class MonthVersion(BaseModel):
    """A month of a skeleton, and its version: another one whenever anything changes that it or its chunks show."""

    month: str = Field(examples=["2021-08"])
    count: int
    version: int = Field(description="Below 2⁵³.")


class Versions(BaseModel):
    """The months of a skeleton, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"months": [{"month": "2021-08", "count": 412, "version": 8124098712341}]}]}
    )

    months: list[MonthVersion]
