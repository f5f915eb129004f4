"""What must be right before the service answers anybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from pos_core.errors import SettingsError
from pos_core.settings import Settings, get_settings
from pos_core.vault import load_vault
from webhook_api.services.receiver import Receiver
from webhook_api.services.runs import launch_drain
from webhook_api.services.trigger import working


def check_settings(settings: Settings) -> None:
    """Refuses settings with which the service would be open, or could not work; makes nothing.

    Raises:
        SettingsError: production has no issuer of tokens, or no database login of its own.
        VaultError: production has no encryption key, or a key is malformed.
    """
    is_production = settings.environment == "production"
    if is_production and settings.jwks_url is None:
        raise SettingsError(
            "POS_JWKS_URL is required when POS_ENVIRONMENT is production: access tokens come from an issuer."
        )
    if is_production and settings.database_url is not None and settings.api_database_url is None:
        raise SettingsError("POS_API_DATABASE_URL is required when POS_ENVIRONMENT is production.")
    if is_production or settings.encryption_keys:
        load_vault(settings)


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncIterator[None]:
    """Checks the settings before the first request is taken, and receives webhooks from then on."""
    check_settings(get_settings())
    receiver = Receiver()
    application.state.receiver = receiver
    async with working(receiver, launch_drain):
        yield
