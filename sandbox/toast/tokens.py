"""Logins and access tokens: one token a day per credential, the same one until its last minute.

A token can be checked from its own text, so a sandbox that was started again still knows it.

Source: Toast authentication API 1.0.0; developer guide, pages on authentication and token refresh.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sandbox.clock import HOUR, MINUTE, SECOND, Clock, Instant
from sandbox.ids import opaque
from sandbox.toast.errors import VendorError, body_for_status
from sandbox.toast.names import Json, client_id, client_secret, group_guid, guid
from sandbox.world import Merchant

SCOPES = "orders:read config:read menus:read restaurants:read"
_CLAIM = "https://toasttab.com/"
_BEARER = "Bearer "


@dataclass(slots=True)
class _Account:
    """What is known of one credential's logins."""

    state: str = "valid"
    serial: int = 0
    first_serial: int = 0
    token: str | None = None
    expires_at: Instant = 0
    attempts: int = 0
    granted: list[Instant] = field(default_factory=list)


class Tokens:
    """Hands out tokens and says whose they are."""

    def __init__(self, merchants: Sequence[Merchant], clock: Clock, settings: Mapping[str, int]) -> None:
        """Knows the merchants' credentials.

        Args:
            merchants: the first, third, … are restaurant groups' own clients, the others partners'.
            clock: the sandbox's clock.
            settings: ``token_seconds``, how long a token lives, and ``logins_per_hour``, 0 for any number.
        """
        self._clock = clock
        self._settings = settings
        self._owners = {client_id(each): each for each in merchants}
        self._partners = {each.key for each in list(merchants)[1::2]}
        self._accounts = {each.key: _Account() for each in merchants}

    def is_partner(self, merchant: Merchant) -> bool:
        """Whether the credential may ask the partners API."""
        return merchant.key in self._partners

    def logins(self, merchant: Merchant) -> int:
        """How often somebody has asked for a token with a merchant's credential, refused ones included."""
        return self._accounts[merchant.key].attempts

    def set_state(self, merchant: Merchant, state: str) -> None:
        """Makes tokens useless (``expired``), the credential too (``revoked``), or takes its scopes."""
        account = self._accounts[merchant.key]
        account.state = "valid" if state == "expired" else state
        if state in ("expired", "revoked"):
            account.serial += 1
            account.first_serial = account.serial
            account.token = None

    def login(self, body: Any) -> Json:
        """Answers a login.

        Raises:
            VendorError: 401 for a wrong credential, 429 after too many logins within an hour.
        """
        given = body if isinstance(body, dict) else {}
        merchant = self._owners.get(str(given.get("clientId")))
        is_right = merchant is not None and given.get("clientSecret") == client_secret(merchant)
        if merchant is None or not is_right or given.get("userAccessType") != "TOAST_MACHINE_CLIENT":
            raise VendorError(401, "The client identifier or the client secret is not valid.")
        account, now = self._accounts[merchant.key], self._clock.now()
        account.attempts += 1
        if account.state == "revoked":
            raise VendorError(401, "The client's credentials were revoked.")
        most = self._settings["logins_per_hour"]
        recent = [at for at in account.granted if at > now - HOUR]
        if most and len(recent) >= most:
            wait = -(-(recent[-most] + HOUR - now) // SECOND)
            raise VendorError(429, "Too many logins within an hour.", {"Retry-After": str(wait)})
        account.granted.append(now)
        if account.token is None or account.expires_at - now < MINUTE:
            account.serial += 1
            account.expires_at = now + self._settings["token_seconds"] * SECOND
            account.token = self._token(merchant, account.serial, account.expires_at)
        return {
            "@class": ".SuccessfulResponse",
            "token": {
                "tokenType": "Bearer",
                "scope": None,
                "expiresIn": (account.expires_at - now) // SECOND,
                "accessToken": account.token,
                "idToken": None,
                "refreshToken": None,
            },
            "status": "SUCCESS",
        }

    def owner(self, authorization: str) -> Merchant | None:
        """Whose token this header carries, whether it is good or not."""
        claims = self._claims(authorization)
        return None if claims is None else self._owners[claims["sub"]]

    def authorize(self, authorization: str) -> Merchant:
        """The merchant of a request.

        Raises:
            VendorError: 401 for a token that is missing, unknown, expired or withdrawn, 403 without scopes.
        """
        claims = self._claims(authorization)
        if claims is None:
            raise VendorError(401, str(body_for_status(401)["message"]))
        merchant = self._owners[claims["sub"]]
        account = self._accounts[merchant.key]
        is_old = claims["exp"] * SECOND <= self._clock.now() or claims["serial"] < account.first_serial
        if is_old or account.state == "revoked":
            raise VendorError(401, "The access token has expired.")
        if account.state == "insufficient_scopes":
            raise VendorError(403, "The API client lacks a scope that this request needs.")
        return merchant

    def _claims(self, authorization: str) -> dict[str, Any] | None:
        if not authorization.startswith(_BEARER):
            return None
        text = authorization.removeprefix(_BEARER).strip()
        claims = _read_claims(text)
        merchant = None if claims is None else self._owners.get(str(claims.get("sub")))
        if claims is None or merchant is None:
            return None
        is_ours = self._token(merchant, claims["serial"], claims["exp"] * SECOND) == text
        return claims if is_ours else None

    def _token(self, merchant: Merchant, serial: int, expires_at: Instant) -> str:
        claims = {
            "iss": "https://authentication.example.com/",
            "sub": client_id(merchant),
            "scope": SCOPES,
            "exp": expires_at // SECOND,
            "serial": serial,
            _CLAIM + "management_set_guid": group_guid(merchant),
        }
        if self.is_partner(merchant):
            claims[_CLAIM + "partner_guid"] = guid(merchant, "partner")
        head = _part({"typ": "JWT", "alg": "RS256", "kid": "sandbox"})
        payload = _part(claims)
        return f"{head}.{payload}.{opaque(42, merchant.seed, 'placeholder', payload)}"


def _part(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


@lru_cache(1_024)
def _read_claims(text: str) -> dict[str, Any] | None:
    parts = text.split(".")
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims: Any = json.loads(base64.urlsafe_b64decode(padded))
    except (IndexError, ValueError):
        return None
    is_shaped = isinstance(claims, dict) and {type(claims.get("serial")), type(claims.get("exp"))} == {int}
    return claims if is_shaped else None
