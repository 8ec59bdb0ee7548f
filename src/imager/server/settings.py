"""What a server was told when it was started."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from imager.errors import UsageError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORT = 8643
"""Where Imager is found unless another port is named."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the library is, where it is served, and to whom."""

    library: Path
    host: str = "127.0.0.1"
    port: int = PORT
    base_path: str = ""
    """The path below which it is served ('/photos'), without a slash at the end; '': at the top."""
    hosts: frozenset[str] = frozenset()
    """Names under which it is reached, beside those of this computer itself ('photos.example.org')."""
    proxies: tuple[Network, ...] = ()
    """Reverse proxies whose word about who asks and how (X-Forwarded-For, -Proto) is taken."""
    body_limit: int = 1 << 20
    """Bytes that the body of a request may have, where its route says nothing else."""
    inbox: Path | None = None
    """The folder for uploaded pictures; by default 'library inbox' beside a library 'library'."""
    inbox_template: str = "{year}/{month}/{name}"
    """Where in it they lie; see `uploads.inbox`."""
    watch: bool = False
    """Whether all folders that were added are followed while it serves."""
    trash_days: int = 30
    """After how long pictures in the trash are erased from the library (their files stay); 0: never."""
    certificate: str | None = None
    """A file with the certificate (PEM) for TLS; None: plain HTTP, for this computer or behind a proxy."""
    private_key: str | None = None
    """The file with its key, if that is another one."""
    session_days: int = 30
    """After how long a session that is not used ends."""
    now: Callable[[], int] | None = None
    """Milliseconds since 1970; the system's clock by default."""

    @property
    def loopback(self) -> bool:
        """Whether only this computer itself can reach it, as far as the server knows."""
        return is_loopback(self.host) and not self.proxies and all(map(is_loopback, self.hosts))

    def address(self, path: str = "/") -> str:
        """An address of this server, for people on this computer."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "") else "[::1]" if self.host == "::" else self.host  # noqa: S104
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        scheme = "https" if self.certificate is not None else "http"
        return f"{scheme}://{host}:{self.port}{self.base_path}{path}"


def base_of(path: str) -> str:
    """A base path as `Settings` has it, or UsageError."""
    found = path.strip().rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*", found):
        raise UsageError(f"{path} is no path to serve below. Give one such as /photos: letters, digits, dashes.")
    return found


def networks(said: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks ('10.0.0.0/8') of proxies, or UsageError."""
    try:
        return tuple(ipaddress.ip_network(one, strict=False) for one in said)
    except ValueError as error:
        raise UsageError(f"{error}. Name proxies by address or network: 127.0.0.1, 10.0.0.0/8.") from None


def is_loopback(host: str) -> bool:
    """Whether a name or address stands for this computer, whatever a name server says."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Whether a host is named by its address."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
