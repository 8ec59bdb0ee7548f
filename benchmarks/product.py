"""Runs `imager` as people do, from its command line, and takes its time, its memory and its report.

Not a benchmark itself; `ingest` and `rescan` use it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

COUNTS = ("found", "added", "copies", "unchanged", "moved", "replaced", "missing", "skipped")


class RunError(Exception):
    """The program could not be run, failed, or printed what the contract does not allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a program."""

    report: dict[str, Any]  # what it printed
    seconds: float  # from its start to its end, as seen from outside
    cpu: float  # seconds of processor time, its workers' included; nan where the system does not tell
    largest: int  # bytes of memory that its largest process held at most
    together: int  # bytes that all its processes held at most, what they share counted in each


def installed() -> dict[str, str]:
    """The environment of a program as after an installation: its modules are compiled, whatever this one does."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return environment | {"PYTHONPYCACHEPREFIX": os.fspath(Path("build", "benchmarks", "compiled").absolute())}


def find_imager(given: str | None) -> str:
    """The program to measure: what was given, else that of this environment, else that on the PATH."""
    beside = os.path.join(os.path.dirname(sys.executable), "imager")
    for candidate in [given] if given else [beside, "imager"]:
        if path := shutil.which(candidate):
            return os.path.abspath(path)
    raise RunError(f"there is no {given or 'imager'} to measure; `make run` installs it")


class _Watch(threading.Thread):
    """Samples the memory of a process and its descendants until told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.root = psutil.Process(pid)
        self.finished = threading.Event()
        self.largest = self.together = 0

    def run(self) -> None:
        while True:
            sizes = []
            with contextlib.suppress(psutil.Error):
                for process in [self.root, *self.root.children(recursive=True)]:
                    with contextlib.suppress(psutil.Error):
                        sizes.append(process.memory_info().rss)
            self.largest = max([self.largest, *sizes])
            self.together = max(self.together, sum(sizes))
            if self.finished.wait(0.1):
                return


def run(imager: str, library: str, *arguments: str, configuration: str) -> Run:
    """Run `imager --library LIBRARY ARGUMENTS… --json` and read its report.

    `configuration` is a folder for what Imager keeps of this device, so that a benchmark leaves no trace.
    Raises `RunError` with the last words of the program where it fails.
    """
    command = [imager, "--library", library, *arguments, "--json"]
    environment = installed() | {"IMAGER_CONFIG": configuration}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=errors, env=environment)
        watch = _Watch(process.pid)
        watch.start()
        status, largest, cpu = _wait(process)
        seconds = time.perf_counter() - begun
        watch.finished.set()
        watch.join()
        output.seek(0)
        errors.seek(0)
        if status != 0:
            last = errors.read().decode(errors="replace").strip()[-2000:]
            raise RunError(f"{' '.join(command)} ended with status {status}: {last}")
        report = parse(output.read())
    return Run(
        report=report,
        seconds=seconds,
        cpu=cpu,
        largest=max(largest, watch.largest),
        together=max(largest, watch.together),
    )


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, int, float]:
    """Wait for the end; exit status, peak memory of the largest process and processor time of all.

    Where the system does not tell the latter two, they are 0 and nan.
    """
    if sys.platform == "win32":
        return process.wait(), 0, math.nan
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    largest = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return process.returncode, largest, usage.ru_utime + usage.ru_stime


def parse(output: bytes) -> dict[str, Any]:
    """The report of `imager add --json`, checked against the contract for scripts.

    Raises `RunError` unless it is one JSON object in ASCII with all counts, and these add up.
    """
    try:
        report = json.loads(output.decode("ascii"))
    except ValueError as error:
        raise RunError(f"standard output is not one JSON document in ASCII: {output[:200]!r}") from error
    if not isinstance(report, dict):
        raise RunError(f"the report is not an object: {output[:200]!r}")
    if lacking := [name for name in (*COUNTS, "failed", "seconds") if name not in report]:
        raise RunError(f"the report lacks {', '.join(lacking)}")
    parts = sum(report[name] for name in COUNTS if name not in ("found", "missing")) + len(report["failed"])
    if parts != report["found"]:
        raise RunError(f"{report['found']} were found, but what became of them adds up to {parts}")
    return report


def expect(report: dict[str, Any], **counts: int) -> None:
    """Raise `RunError` unless the report counts just these; a benchmark of something else proves nothing."""
    for name, wanted in counts.items():
        got = len(report["failed"]) if name == "failed" else report[name]
        if got != wanted:
            reasons = "; ".join(failure["reason"] for failure in report["failed"][:3])
            raise RunError(f"{name} is {got}, expected {wanted}. {reasons}".strip())


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Rows of text as columns, the first aligned to the left and the others to the right."""
    lines = list(rows)
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def options(description: str | None, folder: str) -> argparse.ArgumentParser:
    """The options that the benchmarks of the product share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--imager", help="the program to measure (by default that of this environment)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured, in turns (default: 3)")
    parser.add_argument("--folder", default=folder, help="where what is measured lies (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    return parser
