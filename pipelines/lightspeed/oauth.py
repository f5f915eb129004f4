"""Tokens of both generations of Lightspeed's OAuth: authorization, exchange of the code, refresh.

Generation V1 takes the parameters of a token request in the URL, V2 in a form. In both a refresh token works
once, and each answer brings the next one; so nobody calls `refresh` but a keeper, which lets one process at a
time do it and stores the answer. Lightspeed documents no way to revoke a token: access is withdrawn in the
back office.

PKCE is documented for neither. The address of V2 is that of a Keycloak realm, which checks a challenge that
it is sent; any other server ignores what it does not know (RFC 6749, section 3.1), so V2 is sent one.

Source: api-portal.lsk.lightspeed.app, Authorization Overview, Authorization FAQ and V2 migration FAQ.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from pipelines.connector import Credentials
from pipelines.http import VendorHttp
from pipelines.lightspeed.settings import LightspeedSettings, auth_url, generation_of
from pos_core.errors import (
    CredentialsError,
    PosError,
    SettingsError,
    VendorAnswerError,
    VendorAuthError,
    VendorRequestError,
)

SCOPES = ("financial-api",)
_REALM = "/realms/k-series/protocol/openid-connect"
_AUTHORIZE_PATHS = {"V1": "/oauth/authorize", "V2": f"{_REALM}/auth"}
_TOKEN_PATHS = {"V1": "/oauth/token", "V2": f"{_REALM}/token"}
_REQUESTS_PER_SECOND = 5
_AHEAD = timedelta(seconds=60)  # a request must not set out with a token that dies on the way


@dataclass(frozen=True)
class Application:
    """A client of Lightspeed's API; it is bound to the environment and generation it was issued for."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Application({self.client_id}, ***)"


def application_of(credentials: Credentials) -> Application:
    """The application that credentials name, else the operator's.

    Raises:
        CredentialsError: there is neither.
    """
    if "client_id" in credentials:
        return Application(str(credentials["client_id"]), str(credentials["client_secret"]))
    operators = _operators()
    if operators is None:
        raise CredentialsError(
            "Lightspeed: the credentials name no client_id, and LIGHTSPEED_CLIENT_ID and _SECRET are not set."
        )
    return operators


def _operators() -> Application | None:
    operator = LightspeedSettings()
    if not operator.client_id or operator.client_secret is None:
        return None
    return Application(operator.client_id, operator.client_secret.get_secret_value())


def operators_authorize_url(redirect_uri: str, state: str, challenge: str) -> str:
    """Where a customer is sent to allow the operator's application; see `authorize_url`.

    Raises:
        SettingsError: the operator has no application.
    """
    application = _operators()
    if application is None:
        raise SettingsError(
            "LIGHTSPEED_CLIENT_ID and LIGHTSPEED_CLIENT_SECRET are not set, so nobody can connect by login."
        )
    generation = generation_of(application.client_id)
    return authorize_url(generation, application.client_id, redirect_uri, state, challenge)


def operators_exchange(code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
    """The credentials for a code that came with the operator's application; see `exchange_code`."""
    application = application_of({})
    return exchange_code(generation_of(application.client_id), application, code, redirect_uri, verifier)


def authorize_url(
    generation: str, client_id: str, redirect_uri: str, state: str, challenge: str | None = None
) -> str:
    """Where a customer is sent to allow access; the answer is a code that lives for seconds.

    Args:
        generation: `V1` or `V2`; only V2 has the scope that lets a refresh token live for weeks.
        redirect_uri: exactly as it is registered, with https.
        state: comes back with the code; unguessable.
        challenge: of PKCE, by S256; sent to V2 alone.

    Source: api-portal.lsk.lightspeed.app, V2 Authorization Overview and Access Scopes.
    """
    scopes = SCOPES if generation == "V1" else (*SCOPES, "offline_access")
    query = {
        "response_type": "code",
        "client_id": client_id,
        "scope": " ".join(scopes),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if challenge is not None and generation == "V2":
        query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return str(httpx.URL(auth_url(generation) + _AUTHORIZE_PATHS[generation], params=query))


def exchange_code(
    generation: str, application: Application, code: str, redirect_uri: str, verifier: str | None = None
) -> dict[str, Any]:
    """The first tokens, for the code that Lightspeed sent to the redirect address.

    Args:
        code: works once, within about 15 seconds.
        redirect_uri: the one that the code was asked for with.
        verifier: of the challenge that the code was asked for with.

    Raises:
        VendorAuthError: the code, the address or the application is not accepted.
        VendorAnswerError: the answer holds no tokens.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if verifier is not None and generation == "V2":
        form["code_verifier"] = verifier
    tokens = _ask(generation, application, form)
    if "refresh_token" not in tokens:
        raise VendorAnswerError("Lightspeed's answer to the code has no refresh token.")
    return {"generation": generation, **tokens}


def refresh(credentials: Credentials) -> dict[str, Any]:
    """New tokens for old; the refresh token that is sent is dead afterwards.

    Raises:
        VendorAuthError: the refresh token was used or has expired, or the application is not accepted.
        VendorAnswerError: the answer holds no token.
    """
    form = {"grant_type": "refresh_token", "refresh_token": str(credentials["refresh_token"])}
    return _ask(str(credentials["generation"]), application_of(credentials), form)


def expires_soon(credentials: Credentials, now: datetime) -> bool:
    """Whether the access token is known to end within the minute."""
    expires_at = credentials.get("expires_at")
    return isinstance(expires_at, str) and datetime.fromisoformat(expires_at) - _AHEAD <= now


def read_token_error(status: int, body: Any) -> PosError:
    """The error for a refused token request; its body is `{error, error_description}`.

    Source: RFC 6749, section 5.2.
    """
    said = body if isinstance(body, Mapping) else {}
    error, description = str(said.get("error", "")), str(said.get("error_description", ""))
    if error == "invalid_client" or "client" in description.lower():
        return VendorAuthError(
            "Lightspeed does not accept the client: check client_id and client_secret, their generation, and "
            "that LIGHTSPEED_BASE_URL is the environment they were issued for."
        )
    if error == "invalid_grant" and "redirect" in description.lower():
        return VendorAuthError("Lightspeed does not accept the redirect address; it must match exactly.")
    if error == "invalid_grant" and "code" in description.lower():
        return VendorAuthError("Lightspeed does not accept the code: it works once, for about 15 seconds.")
    if error == "invalid_grant":
        return VendorAuthError(
            "Lightspeed does not accept the refresh token: each works once, and this one was used or has "
            "expired. Allow the access again, and connect the account with the new tokens."
        )
    code = error if error.replace("_", "").isalnum() and len(error) < 60 else ""
    return VendorRequestError(
        f"Lightspeed refused a token request with HTTP {status} {code}".strip() + ".", code
    )


def _ask(generation: str, application: Application, form: Mapping[str, str]) -> dict[str, Any]:
    basic = b64encode(f"{application.client_id}:{application.client_secret}".encode()).decode()
    headers = {"authorization": f"Basic {basic}"}
    path = _TOKEN_PATHS[generation]
    # The answer to a refresh token that works once: not to hear it is to lose the connection.
    with VendorHttp(
        "Lightspeed",
        auth_url(generation),
        headers,
        read_token_error,
        _REQUESTS_PER_SECOND,
        is_patient=True,
    ) as http:
        answer = http.post_form(path, {}, params=form) if generation == "V1" else http.post_form(path, form)
    tokens = answer.body if isinstance(answer.body, Mapping) else {}
    found = {
        key: tokens[key]
        for key in ("access_token", "refresh_token")
        if isinstance(tokens.get(key), str) and tokens[key]
    }
    if "access_token" not in found:
        raise VendorAnswerError("Lightspeed's answer holds no access token.")
    # V2 says that lifetimes vary; one that is not told is learned from the 401.
    seconds = str(tokens.get("expires_in", ""))
    lifetime = timedelta(seconds=min(int(seconds), 10**8)) if seconds.isdigit() else None
    found["expires_at"] = (answer.asked_at.astimezone(UTC) + lifetime).isoformat() if lifetime else None
    return found
