"""Square's address and the credentials a customer has."""

from collections.abc import Mapping
from typing import Any

import httpx
from pydantic_settings import BaseSettings, SettingsConfigDict

from pos_core.errors import CredentialsError, SettingsError

_KEYS = ("access_token", "refresh_token", "merchant_id")


class SquareSettings(BaseSettings):
    """`SQUARE_BASE_URL`, by default the vendor's production."""

    model_config = SettingsConfigDict(env_prefix="SQUARE_", extra="ignore", frozen=True)

    base_url: str = "https://connect.squareup.com"


def base_url() -> str:
    """The operator's address of Square, without a slash at the end.

    Raises:
        SettingsError: it is no http(s) URL.
    """
    text = SquareSettings().base_url.rstrip("/")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise SettingsError("SQUARE_BASE_URL must be an address like https://connect.squareup.com.")
    return text


def read_credentials(given: Mapping[str, Any]) -> dict[str, Any]:
    """What Square gives a customer: `access_token`, optionally `refresh_token` and `merchant_id`.

    Raises:
        CredentialsError: the access token is missing, or a value is no text; values are never repeated.
    """
    credentials = {}
    for key in _KEYS:
        value = given.get(key)
        if value is None:
            continue
        if not isinstance(value, str) or not value.strip():
            raise CredentialsError(f"Square: {key} must be text that is not empty.")
        if any(ord(letter) < 33 or ord(letter) > 126 for letter in value.strip()):
            raise CredentialsError(f"Square: {key} contains a character that no credential has.")
        credentials[key] = value.strip()
    if "access_token" not in credentials:
        raise CredentialsError("Square: access_token is missing; it is on the credentials page.")
    return credentials
