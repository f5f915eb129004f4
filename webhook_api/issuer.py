"""The public keys of the issuer of access tokens, as it publishes them (JWKS, RFC 7517)."""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK

from pos_core.errors import AccessTokenError, IssuerError

logger = logging.getLogger(__name__)

FRESH_SECONDS = 300
STALE_SECONDS = 3600
"""So long the keys are used while the issuer cannot be asked."""
COOL_DOWN_SECONDS = 10
"""The issuer is asked once in so long at most, whatever tokens come."""
_TIMEOUT_SECONDS = 3
_LONGEST_BYTES = 256 * 1024
_SHORTEST_RSA_BITS = 2048
_SAY_AGAIN = "The issuer of access tokens cannot be asked for its keys; try again."


class IssuerKeys:
    """The keys behind one URL: read when they are needed, then at intervals, one reader at a time.

    A token that names a known key never waits for the issuer while the keys are fresh, nor while another
    thread reads them again.

    Args:
        url: where the issuer publishes its keys.
        clock: seconds that only ever grow.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._keys: dict[str, PyJWK] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._failed = False
        self._reading = threading.Lock()

    def key(self, key_id: str) -> PyJWK:
        """The key with this id, bound to the one algorithm it is for.

        Raises:
            AccessTokenError: the issuer has no such key.
            IssuerError: the issuer cannot be asked, so nobody knows.
        """
        asked = True
        if key_id not in self._keys or self._age() >= FRESH_SECONDS:
            asked = self._read_again(wait=self._age() >= STALE_SECONDS)
        if self._age() >= STALE_SECONDS:
            raise IssuerError(_SAY_AGAIN)
        found = self._keys.get(key_id)
        if found is None and (self._failed or not asked):
            raise IssuerError(_SAY_AGAIN)
        if found is None:
            raise AccessTokenError("The access token is signed with a key that its issuer does not have.")
        return found

    def _age(self) -> float:
        return float("inf") if self._read_at is None else self._clock() - self._read_at

    def _read_again(self, wait: bool) -> bool:
        """Asks the issuer unless that was done a moment ago; False when another thread is at it."""
        if not self._reading.acquire(blocking=wait):
            return False
        try:
            if self._tried_at is None or self._clock() - self._tried_at >= COOL_DOWN_SECONDS:
                self._read()
        finally:
            self._reading.release()
        return True

    def _read(self) -> None:
        try:
            self._keys = _usable(_fetch(self._url))
            self._read_at, self._failed = self._clock(), False
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            self._failed = True
            reason = str(error) if type(error) is ValueError else type(error).__name__
            logger.warning("The keys of %s cannot be read: %s", urlsplit(self._url).hostname, reason)
        finally:
            self._tried_at = self._clock()


def _fetch(url: str) -> Any:
    """The JSON behind the URL; an issuer that is slow or talks without end is one that failed."""
    until = time.monotonic() + _TIMEOUT_SECONDS
    content = bytearray()
    with (
        httpx.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=False) as client,
        client.stream("GET", url, headers={"Accept": "application/jwk-set+json, application/json"}) as answer,
    ):
        if answer.status_code != 200:
            raise ValueError(f"it answers {answer.status_code}")
        for piece in answer.iter_bytes():
            content += piece
            if len(content) > _LONGEST_BYTES:
                raise ValueError("it answers more than a set of keys")
            if time.monotonic() > until:
                raise ValueError("it answers too slowly")
    return json.loads(content)


def _usable(document: Any) -> dict[str, PyJWK]:
    """By id, the keys that signatures may be checked with."""
    entries = document.get("keys") if isinstance(document, dict) else None
    keys = {
        key.key_id: key
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and (key := _verifying(entry)) is not None and key.key_id
    }
    if not keys:
        raise ValueError("it publishes no key that can be used")
    return keys


def _verifying(entry: dict[str, Any]) -> PyJWK | None:
    """One published key, or None for what is not public, not for signatures or of another algorithm."""
    kind = (entry.get("kty"), entry.get("crv"))
    algorithm = "RS256" if kind[0] == "RSA" else "ES256" if kind == ("EC", "P-256") else None
    operations = entry.get("key_ops", ["verify"])
    if (
        algorithm is None
        or "d" in entry
        or entry.get("alg", algorithm) != algorithm
        or entry.get("use", "sig") != "sig"
        or not (isinstance(operations, list) and "verify" in operations)
        or not isinstance(entry.get("kid"), str)
    ):
        return None
    try:
        key = PyJWK(entry, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    is_weak = isinstance(key.key, RSAPublicKey) and key.key.key_size < _SHORTEST_RSA_BITS
    return None if is_weak else key
