"""Square's address, the operator's application, and the credentials a customer has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.webhook import listed_secrets
from pos_core.errors import CredentialsError, SettingsError

_KEYS = ("access_token", "refresh_token", "merchant_id")


@dataclass(frozen=True)
class Application:
    """The operator's application, in whose name tokens are asked for."""

    id: str
    secret: SecretStr


class SquareSettings(BaseSettings):
    """`SQUARE_BASE_URL` (by default production), `SQUARE_APPLICATION_ID` and `SQUARE_APPLICATION_SECRET`.

    `SQUARE_ACCESS_TOKEN` is the personal access token of the application's owner, for its webhooks;
    `SQUARE_WEBHOOK_SIGNATURE_KEY`, or else `WEBHOOK_SECRET`, is for a subscription that was made by hand.
    """

    model_config = SettingsConfigDict(env_prefix="SQUARE_", extra="ignore", frozen=True)

    base_url: str = "https://connect.squareup.com"
    application_id: str = ""
    application_secret: SecretStr = SecretStr("")
    access_token: SecretStr = SecretStr("")
    webhook_signature_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("SQUARE_WEBHOOK_SIGNATURE_KEY", "WEBHOOK_SECRET"),
    )


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


def application() -> Application | None:
    """The operator's application; None where it is not set, and then no token is renewed.

    Raises:
        SettingsError: only one of its two settings is there.
    """
    settings = SquareSettings()
    has_secret = bool(settings.application_secret.get_secret_value())
    if not settings.application_id and not has_secret:
        return None
    if not settings.application_id or not has_secret:
        raise SettingsError("SQUARE_APPLICATION_ID and SQUARE_APPLICATION_SECRET belong together; set both.")
    return Application(settings.application_id, settings.application_secret)


def owner_token() -> SecretStr:
    """The personal access token of the application's owner.

    Raises:
        SettingsError: it is not set, or cannot be one.
    """
    token = SquareSettings().access_token.get_secret_value().strip()
    if not token:
        raise SettingsError(
            "SQUARE_ACCESS_TOKEN is not set; Square lets only the application's owner subscribe to webhooks: "
            "set it to the access token on the credentials page of the application."
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise SettingsError("SQUARE_ACCESS_TOKEN contains a character that no token has; copy it again.")
    return SecretStr(token)


def webhook_signature_keys() -> tuple[str, ...]:
    """The operator's signature keys, the current one first; none where the setting is not there."""
    return listed_secrets(SquareSettings().webhook_signature_key.get_secret_value())


def leans_on_operator(credentials: Mapping[str, Any]) -> bool:
    """Never: a token is always of the merchant who gave it."""
    return False


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
