"""Runs `imager` as its script would, and checks what holds for every command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imager.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


class Program:
    """`imager` with a library in `folder`, beside a folder `photos`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.photos = folder / "photos"
        self.photos.mkdir()
        self.library = folder / "library"
        self._monkeypatch = monkeypatch
        self._capfd = capfd

    def write(self, name: str | bytes, data: bytes) -> str:
        """Write a file below `photos`; its path."""
        path = os.path.join(os.fsencode(self.photos), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        return os.fsdecode(path)

    def __call__(self, *args: str, library: bool = True) -> Done:
        """Run a command. Nothing ever shows a traceback or sends control characters to the terminal."""
        before = ["--library", str(self.library)] if library else []
        self._monkeypatch.setattr(sys, "argv", ["imager", *before, *args])
        self._capfd.readouterr()
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(bool(end.code))
        out, err = self._capfd.readouterr()
        assert "Traceback" not in err
        assert not [c for c in out + err if ord(c) < 32 and c != "\n"]
        return Done(status, out, err)

    def json(self, *args: str, status: int = 0) -> Any:
        """Run a command with --json; standard output is exactly one JSON document in ASCII."""
        done = self(args[0], "--json", *args[1:])
        assert done.status == status, done.err
        assert done.out.isascii()
        assert done.out.endswith("\n")
        return json.loads(done.out)

    def fails(self, *args: str, status: int = 1) -> str:
        """Run a command that can't be done; what it said. Standard output stays empty."""
        done = self(*args)
        assert (done.status, done.out) == (status, ""), done
        return done.err

    def start(self, *args: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command as a process of its own."""
        command = [sys.executable, "-P", "-c", "from imager.cli import main; main()"]
        return subprocess.Popen([*command, "--library", str(self.library), *args], **options)
