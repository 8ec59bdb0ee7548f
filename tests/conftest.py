"""What holds for every test: it repeats exactly, meets no network and leaves nothing behind on the device."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import tempfile
from typing import Any

import hypothesis
import pytest

hypothesis.settings.register_profile(
    "imager",
    derandomize=True,
    deadline=None,
    max_examples=50,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
# For a longer hunt: pytest -n 0 --hypothesis-profile=hunt
hypothesis.settings.register_profile("hunt", deadline=None, max_examples=5_000)
hypothesis.settings.load_profile("imager")

_config = pytest.StashKey[str]()


class NetworkError(AssertionError):
    """A test reached for a machine other than this one."""


def _check(address: object) -> None:
    """Let through what stays on this machine: Unix sockets and loopback addresses."""
    if not isinstance(address, tuple):
        return
    host = str(address[0]).split("%")[0]
    if host in {"localhost", ""}:
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise NetworkError(f"tests must not reach the network, but one wanted {address!r}")


def _guard_network() -> None:
    connect, connect_ex, sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
    getaddrinfo = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _check(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _check(address)
        return connect_ex(self, address)

    def guarded_sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        _check(rest[-1])
        return sendto(self, data, *rest)

    def guarded_getaddrinfo(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host is not None:
            _check((host.decode() if isinstance(host, bytes) else host, port))
        return getaddrinfo(host, port, *rest, **more)

    socket.socket.connect = guarded_connect  # type: ignore[assignment,method-assign]
    socket.socket.connect_ex = guarded_connect_ex  # type: ignore[assignment,method-assign]
    socket.socket.sendto = guarded_sendto  # type: ignore[assignment,method-assign]
    socket.getaddrinfo = guarded_getaddrinfo


def pytest_configure(config: pytest.Config) -> None:
    """Give this process (each worker of pytest-xdist is one) a configuration folder of its own.

    Imager keeps the identity of the device there; tests must neither read nor change that of the person who
    runs them. Programs that a test starts inherit the variable.
    """
    config.stash[_config] = os.environ["IMAGER_CONFIG"] = tempfile.mkdtemp(prefix="imager-tests-")
    _guard_network()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what `pytest_configure` made."""
    shutil.rmtree(config.stash[_config], ignore_errors=True)
