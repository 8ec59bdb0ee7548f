"""What is told of one picture."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_ID = "6f1ed002-ab55-8591-9014-709e51c0d2c7"
_SHA256 = "6f1ed002ab5595859014709e51c0d2c7ed5b8a1b3a1a1c2f1b0a9e8d7c6b5a49"
_BATCH = "0197d1d1a2b3c-0000-5f1c2d3e4a5b"


class AssetFile(BaseModel):
    """A place on the server's disk."""

    path: str
    state: Literal["present", "missing", "offline"]


class AssetVersion(BaseModel):
    """Contents that are, or were, this picture."""

    id: str
    sha256: str
    mime: str | None
    bytes: int
    shown: bool = Field(description="Whether this is the version that is shown.")


class DateFound(BaseModel):
    """One piece of evidence for when a picture was taken."""

    at: str
    source: str = Field(examples=["exif:DateTimeOriginal"])
    confidence: float


class AssetPlace(BaseModel):
    """Where on earth, in words."""

    name: str | None
    city: str | None
    region: str | None
    country: str | None
    country_code: str | None


class AssetTag(BaseModel):
    """A tag; the levels of a hierarchy are joined by '|'."""

    name: str
    source: str


class AssetAlbum(BaseModel):
    """An album that the picture was put into."""

    id: str
    name: str


class AssetPerson(BaseModel):
    """Somebody in the picture."""

    name: str
    kind: Literal["face", "pet"]
    box: list[float] = Field(description="Left, top, width, height in fractions of the picture.")
    source: str


class AssetColour(BaseModel):
    """A dominant colour."""

    name: str
    lab: list[float] = Field(description="OKLab: L, a, b.")
    share: float


class Asset(BaseModel):
    """All that is known of a picture. What nobody knows is null."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "sha256": _SHA256,
                    "state": "present",
                    "kind": "image",
                    "mime": "image/jpeg",
                    "bytes": 4_182_733,
                    "files": [],
                    "versions": [
                        {"id": _ID, "sha256": _SHA256, "mime": "image/jpeg", "bytes": 4_182_733, "shown": True}
                    ],
                    "width": 6000,
                    "height": 4000,
                    "duration": None,
                    "orientation": 1,
                    "taken_at": "2021-08-14T18:03:12+01:00",
                    "taken_at_utc": "2021-08-14T17:03:12+00:00",
                    "taken_at_source": "exif:DateTimeOriginal",
                    "taken_at_confidence": 0.95,
                    "dates": [
                        {"at": "2021-08-14T18:03:12+01:00", "source": "exif:DateTimeOriginal", "confidence": 0.95}
                    ],
                    "time_zone": "Europe/Lisbon",
                    "latitude": 38.71,
                    "longitude": -9.14,
                    "altitude": 12.0,
                    "place": {
                        "name": None,
                        "city": "Lisbon",
                        "region": "Lisbon",
                        "country": "Portugal",
                        "country_code": "PT",
                    },
                    "make": "FUJIFILM",
                    "model": "X-T4",
                    "lens": "XF35mmF2 R WR",
                    "iso": 160,
                    "f_number": 5.6,
                    "exposure_time": 0.004,
                    "focal_length": 35.0,
                    "rating": 4,
                    "title": "Evening at the harbour",
                    "caption": None,
                    "favourite": True,
                    "private": None,
                    "description": None,
                    "creator": "Ada Lovelace",
                    "copyright": None,
                    "tags": [{"name": "Places|Harbour", "source": "file"}],
                    "albums": [{"id": "2d0c1f6e-0a0b-4c3d-9e8f-112233445566", "name": "Portugal"}],
                    "people": [],
                    "colours": [{"name": "orange", "lab": [0.7, 0.08, 0.11], "share": 0.31}],
                    "prompt": None,
                    "edited": ["rating"],
                    "problems": [],
                    "metadata": {"exif": {"Make": "FUJIFILM"}},
                }
            ]
        }
    )

    id: str
    sha256: str = Field(description="Of what is shown. Its first 16 digits are `v` in addresses of derivatives.")
    state: str = Field(examples=["present", "missing", "trashed"])
    kind: str = Field(examples=["image", "video"])
    mime: str | None
    bytes: int | None
    files: list[AssetFile] = Field(description="Where its files lie: told to owners of the library alone.")
    versions: list[AssetVersion]
    width: int | None = Field(description="In pixels, upright.")
    height: int | None
    duration: float | None = Field(description="In seconds, of what moves.")
    orientation: int | None = Field(description="EXIF's 1 to 8: how the original's pixels have to be turned.")
    taken_at: str = Field(description="By the clock on the wall where it was taken, with its offset where known.")
    taken_at_utc: str | None
    taken_at_source: str | None
    taken_at_confidence: float | None
    dates: list[DateFound] = Field(description="All evidence for when it was taken, likeliest first.")
    time_zone: str | None
    latitude: float | None = Field(description="In degrees, WGS 84.")
    longitude: float | None
    altitude: float | None = Field(description="In metres above the sea.")
    place: AssetPlace | None
    make: str | None
    model: str | None
    lens: str | None
    iso: int | None
    f_number: float | None
    exposure_time: float | None = Field(description="In seconds.")
    focal_length: float | None = Field(description="In millimetres.")
    rating: int | None = Field(description="0 to 5 stars, or -1: rejected.")
    title: str | None
    caption: str | None
    favourite: bool
    private: str | None = Field(description="The member whose private picture it is: the asker, or nobody.")
    description: str | None
    creator: str | None
    copyright: str | None
    tags: list[AssetTag]
    albums: list[AssetAlbum] = Field(description="Of those that the asker sees.")
    people: list[AssetPerson]
    colours: list[AssetColour]
    prompt: str | None = Field(description="What a generated picture was asked for.")
    edited: list[str] = Field(description="The fields of which people said something.")
    problems: list[str] = Field(description="What was odd about the file.")
    metadata: dict[str, Any] = Field(description="What the file itself says, as it says it.")


class Edit(BaseModel):
    """Something that was said of a picture."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "at": "2026-06-30T10:15:00+00:00",
                    "field": "rating",
                    "element": None,
                    "value": 4,
                    "erased": False,
                    "author": "owner",
                    "batch": _BATCH,
                    "name": _BATCH,
                    "undone": False,
                    "undone_by": None,
                }
            ]
        }
    )

    at: str
    field: str
    element: str | None = Field(description="Of a field with many values (tags, albums): which.")
    value: Any = Field(description="What was said; null: as found.")
    erased: bool = Field(description="Whether the value is gone, since the picture was erased.")
    author: str
    batch: str = Field(description="What was said in one go; undoing takes it.")
    name: str
    undone: bool
    undone_by: str | None


class History(BaseModel):
    """What people said of a picture, latest first."""

    edits: list[Edit]
