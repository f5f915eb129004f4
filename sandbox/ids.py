"""Stable identifiers and random numbers: functions of their parts alone, on every machine."""

from __future__ import annotations

import base64
import hashlib
import random
import uuid
from functools import lru_cache

_NAMESPACE = uuid.UUID("8f0c5d5e-3a53-5d0e-9a55-6f1c9be2a0d1")
_PLAIN = bytes.maketrans(b"+/", b"xy")


def digest(*parts: object) -> bytes:
    """Hash of the parts' text.

    Args:
        parts: anything with a stable ``str``.

    Returns:
        32 bytes.
    """
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()


def opaque(length: int, *parts: object) -> str:
    """Identifier of letters and digits, as vendors hand them out.

    Args:
        length: characters, at most 42.
        parts: what the identifier stands for.
    """
    return base64.b64encode(digest(*parts)).translate(_PLAIN)[:length].decode()


@lru_cache(16_384)
def upper(length: int, *parts: object) -> str:
    """Identifier of capitals and digits, at most 52 characters; kept, for the same few return often."""
    return base64.b32encode(digest(*parts))[:length].decode()


def stable_uuid(*parts: object) -> str:
    """A version-5 UUID of the parts."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(map(str, parts))))


def random_for(*parts: object) -> random.Random:
    """A generator of random numbers that depends on the parts alone."""
    return random.Random(int.from_bytes(digest(*parts)[:8]))


def chance(*parts: object) -> float:
    """A number in [0, 1) that depends on the parts alone."""
    return int.from_bytes(digest(*parts)[:4]) / 2**32
