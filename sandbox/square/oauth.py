"""OAuth: codes and tokens that carry who they are for and when they were issued, so nothing need be kept.

Only used codes and revoked accounts are remembered, until the sandbox ends.

Source: Square API 2025-08-20, ObtainToken and RevokeToken; lifetimes as in ObtainTokenResponse.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from urllib.parse import urlencode

from sandbox.clock import DAY, MINUTE, SECOND, Clock, Instant, format_instant
from sandbox.ids import upper
from sandbox.square.errors import VendorError, invalid
from sandbox.square.names import Json, merchant_id
from sandbox.world import Merchant

APPLICATION_ID = "sandbox-application"
APPLICATION_SECRET = "sandbox-application-secret"
OWNER_ACCESS_TOKEN = "sandbox-application-owner-token"
"""The personal access token of whoever owns the application, for what belongs to the application."""
_TOKEN_LIFE = 30 * DAY
_CODE_LIFE = 5 * MINUTE


class Tokens:
    """Issues codes and tokens for a server's merchants, and recognises them."""

    def __init__(self, merchants: Sequence[Merchant], clock: Clock) -> None:
        """Speaks for these merchants."""
        self._merchants = {each.key: each for each in merchants}
        self._clock = clock
        self._codes = 0
        self._used_codes: set[str] = set()

    def authorize(self, parameters: dict[str, str]) -> str:
        """Where a seller who agrees is sent: the redirect URI with a code and the caller's state.

        The seller is the one whose account is given as ``merchant_id``, else the first one.

        Raises:
            VendorError: another application, or no redirect URI.
        """
        if parameters.get("client_id") != APPLICATION_ID or not parameters.get("redirect_uri"):
            raise invalid("BAD_REQUEST", "client_id or redirect_uri is not known.")
        wanted = parameters.get("merchant_id")
        merchants = list(self._merchants.values())
        merchant = next((each for each in merchants if merchant_id(each) == wanted), merchants[0])
        query = {"code": self._issue_code(merchant), "response_type": "code"}
        if "state" in parameters:
            query["state"] = parameters["state"]
        return f"{parameters['redirect_uri']}?{urlencode(query)}"

    def obtain(self, body: Json) -> Json:
        """Tokens for a code or a refresh token; the refresh token stays the same.

        Raises:
            VendorError: the application, the code or the refresh token is not accepted.
        """
        is_known = body.get("client_id") == APPLICATION_ID
        if not is_known or not _same(body.get("client_secret"), APPLICATION_SECRET):
            raise VendorError(401, "UNAUTHORIZED", "The application is not known.")
        grant = body.get("grant_type")
        if grant == "authorization_code":
            merchant = self._redeem(str(body.get("code", "")))
        elif grant == "refresh_token":
            merchant = self._owner("refresh", str(body.get("refresh_token", "")), None)
        else:
            raise invalid("BAD_REQUEST", "grant_type must be authorization_code or refresh_token.")
        return {
            "access_token": self._issue("access", merchant),
            "token_type": "bearer",
            "expires_at": format_instant(self._clock.now() // SECOND * SECOND + _TOKEN_LIFE, is_trimmed=True),
            "merchant_id": merchant_id(merchant),
            "refresh_token": self._issue("refresh", merchant, 0),
            "short_lived": False,
        }

    def owner(self, token: str) -> Merchant | None:
        """Whose access token this is, expired or not."""
        try:
            return self._owner("access", token, None)
        except VendorError:
            return None

    def is_expired(self, token: str) -> bool:
        """Whether an access token that was issued here has outlived its time."""
        issued_at = int(token.split("_")[3]) * SECOND if token.startswith("sandbox_access_") else None
        return issued_at is not None and self._clock.now() >= issued_at + _TOKEN_LIFE

    def merchant_to_revoke(self, authorization: str, body: Json) -> Merchant:
        """Whose tokens an application gives up.

        Raises:
            VendorError: not the application, or no such merchant.
        """
        if (
            not _same(authorization, f"Client {APPLICATION_SECRET}")
            or body.get("client_id") != APPLICATION_ID
        ):
            raise VendorError(401, "UNAUTHORIZED", "The application is not known.")
        for merchant in self._merchants.values():
            is_named = merchant_id(merchant) == body.get("merchant_id")
            if is_named or self.owner(str(body.get("access_token", ""))) is merchant:
                return merchant
        raise VendorError(404, "NOT_FOUND", "There is no such token.")

    def _issue_code(self, merchant: Merchant) -> str:
        """Codes of one second are told apart by a number behind them."""
        self._codes += 1
        return f"{self._issue('code', merchant)}.{self._codes}"

    def _redeem(self, code: str) -> Merchant:
        merchant = self._owner("code", code.partition(".")[0], _CODE_LIFE)
        if code in self._used_codes:
            raise VendorError(401, "UNAUTHORIZED", "The authorization code was used before.")
        self._used_codes.add(code)
        return merchant

    def _issue(self, kind: str, merchant: Merchant, at_seconds: int | None = None) -> str:
        seconds = self._clock.now() // SECOND if at_seconds is None else at_seconds
        mark = upper(12, merchant.seed, "oauth", kind, merchant.key, seconds)
        return f"sandbox_{kind}_{merchant.key}_{seconds}_{mark}"

    def _owner(self, kind: str, text: str, life: Instant | None) -> Merchant:
        parts = text.split("_")
        if len(parts) == 5 and parts[2] in self._merchants and parts[3].isdigit():
            merchant, seconds = self._merchants[parts[2]], int(parts[3])
            is_over = life is not None and self._clock.now() >= seconds * SECOND + life
            if _same(text, self._issue(kind, merchant, seconds)) and not is_over:
                return merchant
        raise VendorError(401, "UNAUTHORIZED", f"The {kind} token or code is not valid.")


def _same(given: object, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), expected.encode())
