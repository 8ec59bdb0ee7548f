"""Jobs: what takes longer than a request."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_ID = "9b2f6a3e-5f0c-4a57-9a3b-7f1f2d3c4b5a"


class Job(BaseModel):
    """A job, and how far it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "member": "owner",
                    "kind": "batch",
                    "state": "running",
                    "asked": {"action": "tag", "tags": ["Portugal"], "query": "date:2021"},
                    "total": 40_000,
                    "done": 12_300,
                    "batch": "0197d1d1a2b3c-0000-5f1c2d3e4a5b",
                    "result": {"changed": 12_290, "skipped": 10},
                    "problem": None,
                    "created": "2026-06-30T10:15:00+00:00",
                    "finished": None,
                }
            ]
        }
    )

    id: str
    member: str = Field(description="Who asked for it.")
    kind: Literal["batch", "scan"] | str
    state: Literal["waiting", "running", "done", "failed", "stopped"]
    asked: dict[str, Any] = Field(description="What was asked for.")
    total: int | None = Field(description="How much there is to do, where that is known.")
    done: int
    batch: str | None = Field(description="Of a batch of edits: for `undo`, also after it was stopped.")
    result: dict[str, Any] | None = Field(
        description="Of edits: how many pictures were `changed`, and how many `skipped`, since the asker may not "
        "change them or they are not there. Of scans: the report."
    )
    problem: str | None = Field(description="Why it failed or was stopped.")
    created: str
    finished: str | None


class JobPage(BaseModel):
    """Some of the asker's jobs, latest first; owners of the library see everybody's."""

    jobs: list[Job]
    next: str | None = Field(description="For `after`: the jobs before these.")


class Scan(BaseModel):
    """What to look at."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"paths": ["/srv/photos"]}, {}]})

    paths: list[Annotated[str, Field(min_length=1, max_length=4_096)]] | None = Field(
        default=None,
        min_length=1,
        max_length=1_000,
        description="Folders or files on the server's disk; none: all folders that were added.",
    )


class FailedFile(BaseModel):
    """A file that gave no picture, and why."""

    path: str
    stage: str | None = Field(description="At what it failed.", examples=["decode"])
    reason: str | None


class FailedFiles(BaseModel):
    """Files that failed, by their paths."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "total": 1,
                    "files": [{"path": "/srv/photos/bad.jpg", "stage": "decode", "reason": "The file is cut off."}],
                    "next": None,
                }
            ]
        }
    )

    total: int
    files: list[FailedFile]
    next: int | None = Field(description="For `after`: the files that follow.")
