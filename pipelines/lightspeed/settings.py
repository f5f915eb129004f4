"""Lightspeed's addresses, the operator's application, and the credentials a customer has."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.webhook import SECRET_KEY, read_secrets
from pos_core.errors import CredentialsError, SettingsError

GENERATIONS = ("V1", "V2")
_ID = re.compile("[0-9]{1,20}")
_PRODUCTION = "https://api.lsk.lightspeed.app"
# Where the second generation of clients gets its tokens, by the address of the API.
_AUTH_HOSTS = {
    _PRODUCTION: "https://auth.lsk-prod.app",
    "https://api.trial.lsk.lightspeed.app": "https://auth.lsk-demo.app",
}
_APPLICATION = ("client_id", "client_secret")
_NEEDED = ("access_token", "refresh_token", "generation")


class LightspeedSettings(BaseSettings):
    """`LIGHTSPEED_BASE_URL`, `_AUTH_URL`, and the operator's application: `_CLIENT_ID`, `_CLIENT_SECRET`."""

    model_config = SettingsConfigDict(env_prefix="LIGHTSPEED_", extra="ignore", frozen=True)

    base_url: str = _PRODUCTION
    auth_url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None


def base_url() -> str:
    """The operator's address of Lightspeed's API, without a slash at the end.

    Raises:
        SettingsError: it is no http(s) URL.
    """
    return _address("LIGHTSPEED_BASE_URL", LightspeedSettings().base_url, _PRODUCTION)


def auth_url(generation: str) -> str:
    """The root of the server that hands out tokens to clients of a generation.

    Args:
        generation: `V1` (the API's own server) or `V2` (a server of its own for each environment).

    Raises:
        SettingsError: the API is at an address whose token server nobody knows, and none is set.

    Source: api-portal.lsk.lightspeed.app, V2 migration FAQ.
    """
    given = LightspeedSettings().auth_url
    if given:
        return _address("LIGHTSPEED_AUTH_URL", given, _AUTH_HOSTS[_PRODUCTION])
    api = base_url()
    if generation == "V1":
        return api
    if api not in _AUTH_HOSTS:
        raise SettingsError("LIGHTSPEED_AUTH_URL must be set where LIGHTSPEED_BASE_URL is not Lightspeed's.")
    return _AUTH_HOSTS[api]


def leans_on_operator(credentials: Mapping[str, Any]) -> bool:
    """Never: even where the client is the operator's, the tokens are of the business that allowed it."""
    return False


def generation_of(client_id: str) -> str:
    """The generation of a client of the API.

    Source: api-portal.lsk.lightspeed.app, V2 migration FAQ.
    """
    return "V2" if client_id.startswith("devp-v2-") else "V1"


def read_credentials(given: Mapping[str, Any]) -> dict[str, Any]:
    """What Lightspeed gives a customer.

    Args:
        given: `access_token`, `refresh_token`, `generation`, `client_id` and `client_secret` (or else those
            of the operator's application), optionally `business_location_ids`, and as `webhook_secret` the
            `user:password` that notifications carry.

    Raises:
        CredentialsError: something is missing or of the wrong kind; values are never repeated.
    """
    texts = {key: _text(given, key) for key in (*_APPLICATION, *_NEEDED)}
    credentials: dict[str, Any] = {key: value for key, value in texts.items() if value is not None}
    operator = LightspeedSettings()
    is_operators = operator.client_id is not None and operator.client_secret is not None
    has_none = all(texts[key] is None for key in _APPLICATION)
    for key in _NEEDED if is_operators and has_none else (*_APPLICATION, *_NEEDED):
        if key not in credentials:
            raise CredentialsError(f"Lightspeed: {key} is missing.")
    credentials["generation"] = credentials["generation"].upper()
    if credentials["generation"] not in GENERATIONS:
        raise CredentialsError("Lightspeed: generation must be V1 or V2; a client id devp-v2-... is of V2.")
    if given.get("business_location_ids") is not None:
        credentials["business_location_ids"] = _location_ids(given["business_location_ids"])
    if given.get(SECRET_KEY) is not None:
        credentials[SECRET_KEY] = read_secrets("Lightspeed", given[SECRET_KEY])
        if not all(":" in secret for secret in credentials[SECRET_KEY]):
            raise CredentialsError(f"Lightspeed: {SECRET_KEY} must be of the form user:password.")
    return credentials


def _text(given: Mapping[str, Any], key: str) -> str | None:
    value = given.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise CredentialsError(f"Lightspeed: {key} must be text that is not empty.")
    if any(ord(letter) < 33 or ord(letter) > 126 for letter in value.strip()):
        raise CredentialsError(f"Lightspeed: {key} contains a character that no credential has.")
    return value.strip()


def _location_ids(given: object) -> list[str]:
    """Business locations as text, since their numbers are too large for some readers of JSON."""
    entries = given if isinstance(given, list) else [None]
    ids = [str(each).strip() for each in entries if not isinstance(each, bool)]
    if not ids or len(ids) < len(entries) or not all(_ID.fullmatch(each) for each in ids):
        raise CredentialsError("Lightspeed: business_location_ids must be a list of numbers, or be left out.")
    return sorted(set(ids), key=int)


def _address(name: str, given: str, example: str) -> str:
    text = given.rstrip("/")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise SettingsError(f"{name} must be an address like {example}.")
    return text
