"""Credentials that renew themselves, one renewal at a time, whichever process needs it first.

A vendor's token may expire within minutes and its refresh token may work only once. So whoever renews holds
an advisory lock, looks whether another process has renewed meanwhile, asks the vendor, and commits the
answer before anybody uses it.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol

import httpx
from sqlalchemy import Engine

from pipelines.connector import Credentials
from pos_core.repositories import configurations, tokens
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import held_key
from pos_core.vault import Vault

Renewal = Callable[[Credentials], Mapping[str, Any]]
"""Asks the vendor and returns the new values; raises VendorError when it refuses."""


class Keeper(Protocol):
    """Where a client takes its credentials from, and where it leaves renewed ones."""

    @property
    def current(self) -> Credentials:
        """The credentials as this process knows them."""
        ...

    def renew(self, stale: Credentials, ask: Renewal) -> Credentials:
        """Credentials newer than `stale`: what another process stored meanwhile, else the vendor's answer.

        Args:
            stale: what was found to be expired or refused.
            ask: asked while nobody else can renew; its answer is merged into the credentials and stored.
        """
        ...

    def shared(self, key: str, stale: Mapping[str, Any] | None, ask: Renewal) -> Mapping[str, Any]:
        """A token that all configurations with the same `key` share; renewed when it is absent or `stale`.

        Args:
            key: what tells one credential from another; it is stored hashed.
            stale: the token that was found to be expired or refused; None to take what there is.
        """
        ...


class _SharedTokens:
    """Tokens of a credential that many configurations use, sealed in the database."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    def shared(self, key: str, stale: Mapping[str, Any] | None, ask: Renewal) -> Mapping[str, Any]:
        with held_key(self._engine, f"pos-shared-token:{key}"), self._engine.connect() as connection:
            with connection.begin():
                known = tokens.read(connection, self._vault, key)
            if known is not None and known != stale:
                return known
            fresh = dict(ask(known or {}))
            with connection.begin():
                tokens.store(connection, self._vault, key, fresh)
            return fresh


class StoredKeeper(_SharedTokens):
    """The credentials of a configuration, as the database holds them."""

    def __init__(self, engine: Engine, vault: Vault, configuration: Configuration) -> None:
        super().__init__(engine, vault)
        self._configuration = configuration
        with engine.connect() as connection:
            self._current: Credentials = configurations.open_credentials(connection, vault, configuration)

    @property
    def current(self) -> Credentials:
        """The credentials as this process knows them."""
        return self._current

    def renew(self, stale: Credentials, ask: Renewal) -> Credentials:
        """Renews while nobody else can; the answer is stored before it is used."""
        configuration = self._configuration
        # The connection is there before the vendor is asked: what it issues may work once and must be stored.
        with (
            held_key(self._engine, f"pos-credentials:{configuration.id}"),
            self._engine.connect() as connection,
        ):
            with connection.begin():
                stored = configurations.open_credentials(connection, self._vault, configuration)
            if stored == dict(stale):
                fresh = {**stored, **ask(stored)}
                with connection.begin():
                    now = configurations.open_credentials(
                        connection, self._vault, configuration, is_locked=True
                    )
                    # Whoever connected the account again meanwhile has newer ones.
                    stored = fresh if now == stored else now
                    configurations.store_credentials(connection, self._vault, configuration, stored)
        self._current = stored
        return stored


class NewKeeper(_SharedTokens):
    """Credentials that are not stored yet; what is renewed meanwhile is stored with them."""

    def __init__(self, engine: Engine, vault: Vault, credentials: Credentials) -> None:
        super().__init__(engine, vault)
        self._current = credentials

    @property
    def current(self) -> Credentials:
        """The credentials, renewed ones included."""
        return self._current

    def renew(self, stale: Credentials, ask: Renewal) -> Credentials:
        """Renews in memory; nobody else can have these credentials yet."""
        self._current = {**self._current, **ask(self._current)}
        return self._current


class RenewingAuth(httpx.Auth):
    """Sends a bearer token and renews it once when the vendor answers 401.

    Args:
        token: the token to send now; renews ahead of expiry where that is known.
        renewed: a newer token than the one that was refused; raises VendorAuthError where there is none.
    """

    def __init__(self, token: Callable[[], str], renewed: Callable[[str], str] | None = None) -> None:
        self._token = token
        self._renewed = renewed

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """One request, and a second one with a newer token after a 401."""
        token = self._token()
        request.headers["authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED and self._renewed is not None:
            request.headers["authorization"] = f"Bearer {self._renewed(token)}"
            yield request
