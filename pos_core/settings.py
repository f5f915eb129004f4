"""Settings from the environment, in one place; vendors' own settings live in their folders."""

import ipaddress
import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field, IPvAnyNetwork, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pos_core.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds `dbt_project.yml` and `workspace.yaml`."""
_RATE = r"^[1-9][0-9]{0,5}/(second|minute|hour)$"


def _own_address(before: dict[str, Any]) -> str:
    return f"http://127.0.0.1:{before.get('api_port')}"


class Settings(BaseSettings):
    """The operator's settings, each an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(env_prefix="POS_", env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(default=Path(".pos"), description="Folder of all local state.")
    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL 16+; without it an embedded server is used."
    )
    api_database_url: SecretStr | None = Field(
        default=None, description="The same database with the login of the HTTP service."
    )
    encryption_keys: Annotated[list[SecretStr], NoDecode] = Field(
        default_factory=list,
        description="`id:base64key` pairs, comma separated; the first seals, all open.",
    )
    environment: str = Field(default="development", pattern="^(development|production)$")
    api_port: int = Field(default=8000, ge=1, le=65535)
    dagster_port: int = Field(default=3000, ge=1, le=65535)
    sandbox_port: int = Field(default=8010, ge=1, le=65535)
    dagster_url: str | None = Field(default=None, description="Dagster's web page; default: on this machine.")
    webhook_base_url: str = Field(
        default_factory=_own_address,
        validation_alias="WEBHOOK_BASE_URL",
        description="The public address of the HTTP service, without a slash at the end.",
    )
    jwt_issuer: str = Field(default="pos-integration", description="Who signs access tokens.")
    jwt_audience: str = Field(default="pos-api", description="Whom access tokens are for.")
    jwks_url: str | None = Field(default=None, description="Where the issuer publishes its keys.")
    rate_limit_per_tenant: str = Field(
        default="600/minute", pattern=_RATE, description="How often a tenant may ask the HTTP service."
    )
    rate_limit_per_address: str = Field(
        default="1200/minute", pattern=_RATE, description="The same by address, with or without a token."
    )
    trusted_proxies: Annotated[list[IPvAnyNetwork], NoDecode] = Field(
        default_factory=list,
        description="Addresses or networks, comma separated, whose X-Forwarded-For is believed.",
    )
    sync_interval_seconds: int = Field(default=300, ge=10)
    fetch_workers: int = Field(default=8, ge=1, le=64)

    @field_validator("encryption_keys", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("jwks_url")
    @classmethod
    def _is_safe(cls, url: str | None) -> str | None:
        """Who can change what is on its way to us can say whose tokens hold."""
        if url is not None:
            parts = urlsplit(url)
            if not parts.hostname or parts.scheme not in ("https", "http"):
                raise ValueError("it must be an https:// address")
            if parts.scheme == "http" and not _is_loopback(parts.hostname):
                raise ValueError("it must begin with https:// unless it is on this machine")
            if parts.username is not None or parts.password is not None:
                raise ValueError("it must not hold a user or a password")
        return url

    @field_validator("dagster_url")
    @classmethod
    def _without_secrets(cls, value: str | None) -> str | None:
        if value is not None and (not value.startswith(("http://", "https://")) or "@" in value):
            raise ValueError("it has to begin with http:// or https:// and to name no user")
        return value

    @property
    def dagster_address(self) -> str:
        """Dagster's web page, without a slash at the end."""
        return (self.dagster_url or f"http://127.0.0.1:{self.dagster_port}").rstrip("/")

    def webhook_address(self, pos_system: str, configuration_id: UUID | None = None) -> str:
        """The public address that a vendor is to send its events to, exactly as it has to be registered."""
        base = f"{self.webhook_base_url.rstrip('/')}/api/v1/webhooks/{pos_system}"
        return f"{base}/{configuration_id}" if configuration_id else base

    @property
    def home_path(self) -> Path:
        """POS_HOME as an absolute path."""
        return self.home.expanduser().absolute()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        SettingsError: a variable has a value of the wrong kind; the message names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = f"POS_{first['loc'][0]}".upper().replace("POS_WEBHOOK_", "WEBHOOK_")
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name} is not valid: {reason}.") from None


def prepare_home(settings: Settings) -> Path:
    """Makes POS_HOME, private to its user, and returns it.

    Raises:
        SettingsError: it is a file, or cannot be written.
    """
    home = settings.home_path
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(home, os.W_OK | os.X_OK):
            raise PermissionError
    except (FileExistsError, NotADirectoryError):
        raise SettingsError(f"POS_HOME {home} is not a folder; choose another.") from None
    except OSError:
        raise SettingsError(f"POS_HOME {home} cannot be written; choose another.") from None
    return home
