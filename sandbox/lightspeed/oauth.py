"""Tokens of both generations: codes that live for seconds, refresh tokens that work once.

A token says whose it is, which in the row of that merchant's tokens, and when it was made; a check
value keeps it from being made up. So a sandbox that was started anew still knows every token that it
ever gave out, and takes the newest one that it is shown for the newest there is.

Source: K-Series developer portal, V1 and V2 authentication, read in 2026-11.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.clock import DAY, MINUTE, SECOND, Clock, Instant
from sandbox.ids import opaque, upper
from sandbox.lightspeed.chains import Generation, generation
from sandbox.lightspeed.errors import grant, unauthorized
from sandbox.lightspeed.names import Json
from sandbox.world import Merchant

CODE_SECONDS = 15
ACCESS_MINUTES: dict[Generation, int] = {"V1": 60, "V2": 25}
REFRESH_DAYS: dict[Generation, int] = {"V1": 14, "V2": 40}
SCOPES = "financial-api offline_access"
_TOKEN = re.compile(r"sandbox-(access|refresh)-([a-z]+-\d+)-(\d+)-(\d+)-([a-z0-9]{12})")


@dataclass(frozen=True, slots=True)
class Token:
    """A token that the sandbox made: whose, which in its row, and when."""

    use: str
    merchant: Merchant
    number: int
    made_at: Instant


@dataclass(frozen=True, slots=True)
class _Code:
    merchant: Merchant
    redirect_uri: str
    made_at: Instant
    challenge: str | None


@dataclass(slots=True)
class _Grant:
    """How far a merchant's row of tokens has come."""

    newest: int = 0
    refused_up_to: int = -1
    state: str = "valid"


def client_id(merchant: Merchant) -> str:
    """The merchant's own client of the vendor."""
    prefix = "devp-" if generation(merchant) == "V1" else "devp-v2-"
    return f"{prefix}sandbox-{merchant.key}"


def client_secret(merchant: Merchant) -> str:
    """That client's secret."""
    return f"sandbox-secret-{upper(12, merchant.seed, 'client', merchant.key).lower()}"


class TokenDesk:
    """Gives out tokens and knows which of them are good."""

    def __init__(self, merchants: Sequence[Merchant], clock: Clock) -> None:
        """Opens the desk for some merchants."""
        self._clock = clock
        self._merchants = {merchant.key: merchant for merchant in merchants}
        self._clients = {client_id(merchant): merchant for merchant in merchants}
        self._grants = {merchant.key: _Grant() for merchant in merchants}
        self._codes: dict[str, _Code] = {}
        self._code_count = 0

    def set_state(self, merchant: Merchant, state: str) -> None:
        """Sets how tokens are answered; ``expired`` concerns those given out so far."""
        known = self._grants[merchant.key]
        known.state = state
        if state == "expired":
            known.refused_up_to = known.newest

    def tokens(self, merchant: Merchant) -> dict[str, str]:
        """The tokens that an account is registered with: the newest of their row."""
        number = self._grants[merchant.key].newest
        return {
            "access_token": self._write("access", merchant, number),
            "refresh_token": self._write("refresh", merchant, number),
        }

    def owner(self, authorization: str) -> Merchant | None:
        """Whose token, or client, an ``Authorization`` header carries."""
        kind, _, text = authorization.partition(" ")
        if kind == "Bearer":
            token = self.read(text.strip())
            return token.merchant if token is not None and token.use == "access" else None
        if kind == "Basic":
            return self._clients.get(_client_of(text)[0])
        return None

    def authorize(self, authorization: str) -> tuple[Merchant, str]:
        """The merchant of a request, and the state of its tokens.

        Raises:
            VendorError: no access token, or one that is not good any more.
        """
        kind, _, text = authorization.partition(" ")
        token = self.read(text.strip()) if kind == "Bearer" else None
        if token is None or token.use != "access":
            raise unauthorized()
        known = self._grants[token.merchant.key]
        age = self._clock.now() - token.made_at
        is_old = age >= ACCESS_MINUTES[generation(token.merchant)] * MINUTE
        if is_old or known.state == "revoked" or token.number <= known.refused_up_to:
            raise unauthorized()
        return token.merchant, known.state

    def make_code(
        self, client: str, redirect_uri: str, service: Generation, challenge: str | None = None
    ) -> str:
        """A code for a client that may redirect there.

        Args:
            client: the id of the client.
            redirect_uri: where the code is sent.
            service: the generation whose token service was asked.
            challenge: of PKCE, by S256.

        Raises:
            VendorError: the client is unknown to this token service.
        """
        merchant = self._clients.get(client)
        if merchant is None or generation(merchant) != service:
            raise grant(400, "invalid_client", "Client not found")
        self._code_count += 1
        code = "sandbox-code-" + opaque(24, merchant.seed, "code", self._code_count, self._clock.now())
        self._codes[code] = _Code(merchant, redirect_uri, self._clock.now(), challenge)
        return code

    def exchange(self, authorization: str, given: Mapping[str, str], service: Generation) -> Json:
        """New tokens for a code or a refresh token.

        Args:
            authorization: the header with the client's id and secret.
            given: the request's parameters.
            service: the generation whose token service was asked.

        Raises:
            VendorError: anything the vendor refuses.
        """
        merchant = self._client(authorization, service)
        kind = given.get("grant_type")
        if kind == "authorization_code":
            self._spend_code(merchant, given)
        elif kind == "refresh_token":
            self._spend_refresh(merchant, given.get("refresh_token", ""))
        elif kind is None:
            raise grant(400, "invalid_request", "Missing form parameter: grant_type")
        else:
            raise grant(400, "unsupported_grant_type", "Unsupported grant_type")
        return self._answer(merchant, service)

    def read(self, text: str) -> Token | None:
        """Reads a token that the sandbox made; None for any other text."""
        found = _TOKEN.fullmatch(text)
        merchant = self._merchants.get(found[2]) if found else None
        if found is None or merchant is None:
            return None
        use, number, seconds = found[1], int(found[3]), int(found[4])
        if found[5] != _check(use, merchant, number, seconds):
            return None
        return Token(use, merchant, number, seconds * SECOND)

    def _write(self, use: str, merchant: Merchant, number: int) -> str:
        seconds = self._clock.now() // SECOND
        return f"sandbox-{use}-{merchant.key}-{number}-{seconds}-{_check(use, merchant, number, seconds)}"

    def _client(self, authorization: str, service: Generation) -> Merchant:
        kind, _, text = authorization.partition(" ")
        name, secret = _client_of(text) if kind == "Basic" else ("", "")
        merchant = self._clients.get(name)
        is_known = merchant is not None and client_secret(merchant) == secret
        if merchant is None or not is_known or generation(merchant) != service:
            raise grant(401, "invalid_client", "Invalid client or Invalid client credentials")
        return merchant

    def _spend_code(self, merchant: Merchant, given: Mapping[str, str]) -> None:
        code = self._codes.pop(given.get("code", ""), None)
        is_old = code is not None and self._clock.now() - code.made_at > CODE_SECONDS * SECOND
        if code is None or is_old or code.merchant is not merchant:
            raise grant(400, "invalid_grant", "Code not valid")
        if given.get("redirect_uri") != code.redirect_uri:
            raise grant(400, "invalid_grant", "Incorrect redirect_uri")
        if code.challenge is not None and code.challenge != _challenge_of(given.get("code_verifier", "")):
            raise grant(400, "invalid_grant", "PKCE verification failed: Code mismatch")
        known = self._grants[merchant.key]
        known.newest += 1
        if known.state == "revoked":
            known.state = "valid"

    def _spend_refresh(self, merchant: Merchant, text: str) -> None:
        token, known = self.read(text), self._grants[merchant.key]
        is_good = token is not None and token.use == "refresh" and token.merchant is merchant
        if token is None or not is_good or token.number < known.newest or known.state == "revoked":
            raise grant(400, "invalid_grant", "Token is not active")
        if self._clock.now() - token.made_at >= REFRESH_DAYS[generation(merchant)] * DAY:
            raise grant(400, "invalid_grant", "Token is not active")
        known.newest = token.number + 1

    def _answer(self, merchant: Merchant, service: Generation) -> Json:
        answer: Json = {
            **self.tokens(merchant),
            "token_type": "bearer" if service == "V1" else "Bearer",
            "expires_in": ACCESS_MINUTES[service] * 60,
            "scope": SCOPES,
        }
        if service == "V2":
            answer["refresh_expires_in"] = REFRESH_DAYS[service] * 86_400
            answer["not-before-policy"] = 0
        return answer


def _check(use: str, merchant: Merchant, number: int, seconds: int) -> str:
    return upper(12, merchant.seed, "token", use, merchant.key, number, seconds).lower()


def _client_of(text: str) -> tuple[str, str]:
    """Id and secret from a Basic header; empty ones where it is malformed."""
    try:
        name, _, secret = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret


def _challenge_of(verifier: str) -> str:
    """RFC 7636, section 4.2."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
