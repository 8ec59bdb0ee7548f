"""Passwords: Argon2id (RFC 9106) with a salt of each, hashed anew where the cost has been raised since.

Hashing takes a tenth of a second and 64 MiB on purpose; so it is never done on the event loop, nor many times at once.
"""

from __future__ import annotations

import functools

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from imager.errors import UsageError

SHORTEST, LONGEST = 10, 1_000  # characters
HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)


def checked(password: str, member: str = "") -> str:
    """A password that is good enough, or UsageError with what is wrong about it."""
    if len(password) < SHORTEST:
        raise UsageError(f"A password has {SHORTEST} characters or more. A few words are easier to keep than signs.")
    if len(password) > LONGEST:
        raise UsageError(f"A password has {LONGEST:,} characters at most.")
    if len(set(password)) < 4 or (member and password.casefold().replace(member.casefold(), "") == ""):
        raise UsageError("That password is too easily guessed.")
    return password


def hashed(password: str) -> str:
    """What is kept of a password."""
    return HASHER.hash(_bytes(password))


def right(encoded: str | None, password: str) -> bool:
    """Whether a password is the one that `encoded` was made of. It takes as long where there is none (None)."""
    try:
        matches = HASHER.verify(encoded if encoded is not None else _nobodys(), _bytes(password))
    except (VerificationError, InvalidHashError):
        return False
    return matches and encoded is not None


def outdated(encoded: str) -> bool:
    """Whether it should be hashed anew, at today's cost."""
    return HASHER.check_needs_rehash(encoded)


def _bytes(password: str) -> bytes:
    return password[: LONGEST + 1].encode("utf-8", "surrogatepass")


@functools.cache
def _nobodys() -> str:
    return HASHER.hash(b"nobody's")
