"""Whether the server lives and can work."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Health(BaseModel):
    """That all is well; otherwise the answer is a problem."""

    status: Literal["ok"]
