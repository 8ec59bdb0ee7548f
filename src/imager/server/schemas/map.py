"""Pictures in space."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Cluster(BaseModel):
    """Pictures that lie near each other: the mean of their positions, how many, the newest, and the box of all."""

    latitude: float
    longitude: float
    count: int
    asset: str = Field(description="Id of the newest.")
    south: float
    west: float
    north: float
    east: float


class Clusters(BaseModel):
    """Clusters, the largest first. The counts add up to the pictures that have a position in the box."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "zoom": 6,
                    "total": 12,
                    "clusters": [
                        {
                            "latitude": 38.71,
                            "longitude": -9.14,
                            "count": 12,
                            "asset": "6f1ed002-ab55-8591-9014-709e51c0d2c7",
                            "south": 38.69,
                            "west": -9.21,
                            "north": 38.74,
                            "east": -9.1,
                        }
                    ],
                }
            ]
        }
    )

    zoom: int
    total: int
    clusters: list[Cluster]
