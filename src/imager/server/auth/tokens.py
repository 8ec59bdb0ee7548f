"""Secrets that are handed out: 32 random bytes as text, of which only a hash is kept.

They need no slow hash, since nobody can guess 256 bits; passwords do (`passwords.py`).
"""

from __future__ import annotations

import hashlib
import secrets

KEY_PREFIX = "imager_"
"""How an API key begins, so that people and scanners for leaked secrets know one when they see it."""


def new(prefix: str = "") -> tuple[str, bytes]:
    """A new secret, and what is kept of it."""
    text = prefix + secrets.token_urlsafe(32)
    return text, digest(text)


def digest(text: str) -> bytes:
    """What is kept of a secret: its SHA-256, by which it is looked up."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def new_id() -> str:
    """A name for a session, key or share: random, no secret."""
    return secrets.token_hex(8)
