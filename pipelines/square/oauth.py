"""Square's OAuth: tokens for a code, new tokens ahead of expiry, and giving the access up again.

Square asks to renew every seven days or sooner. With a client secret the refresh token stays the same and
never expires; the access token lives 30 days.

The code flow is used without PKCE: with it refresh tokens would work once and die after 90 days.

Source: GET /oauth2/authorize, POST /oauth2/token, POST /oauth2/revoke, Square-Version 2026-07-15;
developer.squareup.com/docs/oauth-api/refresh-revoke-limit-scope.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from pipelines.connector import Credentials
from pipelines.credentials import Keeper, RenewingAuth
from pipelines.http import Answer, VendorHttp
from pipelines.square.documents import parse_instant
from pipelines.square.settings import Application, application
from pipelines.square.settings import base_url as operators_base_url
from pos_core.errors import PosError, SettingsError, VendorAnswerError, VendorAuthError, VendorError

logger = logging.getLogger(__name__)

API_VERSION = "2026-07-15"
SCOPES = ("ORDERS_READ", "PAYMENTS_READ", "MERCHANT_PROFILE_READ", "ITEMS_READ")
_RENEW_AFTER = timedelta(days=7)
_REQUESTS_PER_SECOND = 5


def authorize_url(redirect_uri: str, state: str, challenge: str) -> str:
    """Where a merchant is sent to allow access; asks for a login even where somebody is logged in.

    Args:
        redirect_uri: as it is registered for the application.
        state: comes back with the code.
        challenge: not sent, see above.

    Raises:
        SettingsError: the operator has no application.
    """
    query = {
        "client_id": _operators().id,
        "scope": " ".join(SCOPES),
        "session": "false",
        "state": state,
        "redirect_uri": redirect_uri,
    }
    return str(httpx.URL(f"{operators_base_url()}/oauth2/authorize", params=query))


def exchange(code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
    """The credentials for a code that came with the operator's application; see `exchange_code`."""
    return exchange_code(operators_base_url(), _operators(), code, redirect_uri)


def give_up(base_url: str, credentials: Credentials) -> None:
    """Gives up the access of a merchant who connected by logging in; a token of their own stays theirs.

    Raises:
        VendorError: Square cannot be asked, or refuses.
    """
    owner = application()
    merchant_id = credentials.get("merchant_id")
    if owner is not None and merchant_id and credentials.get("refresh_token"):
        revoke(base_url, owner, str(merchant_id))


def exchange_code(base_url: str, owner: Application, code: str, redirect_uri: str) -> dict[str, Any]:
    """The credentials for an authorization code, which works once.

    Raises:
        VendorAuthError: the code or the application is not accepted.
        VendorError: Square cannot be asked.
    """
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    return _obtain(base_url, owner, grant)


def refresh(base_url: str, owner: Application, refresh_token: str) -> dict[str, Any]:
    """New credentials for a refresh token.

    Raises:
        VendorAuthError: the access was revoked, or the application is not accepted.
        VendorError: Square cannot be asked.
    """
    return _obtain(base_url, owner, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def revoke(base_url: str, owner: Application, merchant_id: str) -> None:
    """Gives up every token that the application has for a merchant.

    Raises:
        VendorAuthError: the application is not accepted.
        VendorError: Square cannot be asked.
    """
    headers = {"authorization": f"Client {owner.secret.get_secret_value()}"}
    with _client(base_url, headers) as http:
        http.post("/oauth2/revoke", {"client_id": owner.id, "merchant_id": merchant_id})


def authorization(base_url: str, keeper: Keeper) -> RenewingAuth:
    """Sends the access token; renews it where there is a refresh token and the application is known."""
    owner = application()
    if owner is None or not keeper.current.get("refresh_token"):
        return RenewingAuth(lambda: str(keeper.current["access_token"]))
    renewals = _Renewals(base_url, owner, keeper)
    return RenewingAuth(renewals.token, renewals.renewed)


def _operators() -> Application:
    owner = application()
    if owner is None:
        raise SettingsError(
            "SQUARE_APPLICATION_ID and SQUARE_APPLICATION_SECRET are not set, so nobody can connect by login."
        )
    return owner


class _Renewals:
    def __init__(self, base_url: str, owner: Application, keeper: Keeper) -> None:
        self._base_url = base_url
        self._owner = owner
        self._keeper = keeper
        self._has_failed = False

    def token(self) -> str:
        """The token to send, renewed when that is due; while it works, failing to renew is no failure."""
        current = self._keeper.current
        if _is_due(current) and not self._has_failed:
            try:
                current = self._keeper.renew(current, self._ask)
            except VendorError as error:
                self._has_failed = True
                logger.warning("the access token could not be renewed ahead of time: %s", error.message)
        return str(current["access_token"])

    def renewed(self, refused: str) -> str:
        """A token newer than the one that Square refused."""
        current = self._keeper.current
        if current["access_token"] == refused:
            current = self._keeper.renew(current, self._ask)
        return str(current["access_token"])

    def _ask(self, credentials: Credentials) -> dict[str, Any]:
        return refresh(self._base_url, self._owner, str(credentials["refresh_token"]))


def _is_due(credentials: Credentials) -> bool:
    """Whether it is time to renew; a token whose age nobody knows is due."""
    renew_at = parse_instant(credentials.get("renew_at"))
    return renew_at is None or datetime.now(UTC) >= renew_at


def _obtain(base_url: str, owner: Application, grant: Mapping[str, str]) -> dict[str, Any]:
    with _client(base_url, {}) as http:
        secret = owner.secret.get_secret_value()
        answer = http.post("/oauth2/token", {"client_id": owner.id, "client_secret": secret, **grant})
    return _credentials(answer)


def _credentials(answer: Answer) -> dict[str, Any]:
    """What is stored of an answer; times are by our clock, which need not agree with Square's."""
    body = answer.body if isinstance(answer.body, Mapping) else {}
    kept = {key: body.get(key) for key in ("access_token", "refresh_token", "merchant_id")}
    expires_at = parse_instant(body.get("expires_at"))
    if not all(isinstance(value, str) and value for value in kept.values()) or expires_at is None:
        raise VendorAnswerError("Square's answer to a token request is not as documented.")
    life = expires_at - answer.vendor_now
    return {
        **kept,
        "expires_at": _text(answer.asked_at + life),
        "renew_at": _text(answer.asked_at + min(life / 2, _RENEW_AFTER)),
    }


def _client(base_url: str, headers: Mapping[str, str]) -> VendorHttp:
    versioned = {"square-version": API_VERSION, **headers}
    return VendorHttp("Square", base_url, versioned, _read_error, _REQUESTS_PER_SECOND)


def _read_error(status: int, body: Any) -> PosError:
    return VendorAuthError(
        f"Square refuses to give a token (HTTP {status}); check SQUARE_APPLICATION_ID and "
        "SQUARE_APPLICATION_SECRET, or connect the account again."
    )


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
