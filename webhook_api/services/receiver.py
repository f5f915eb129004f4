"""Receives webhooks: verify, read, store, answer; everything else happens later and elsewhere."""

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from pipelines.connector import Connector
from pipelines.registry import connectors
from pipelines.webhook import Delivery, Webhook
from pos_core.errors import (
    DatabaseError,
    UnknownResourceError,
    VaultError,
    WebhookError,
    WebhookSecretError,
    WebhookSignatureError,
)
from pos_core.repositories import inbox
from pos_core.repositories.inbox import Recipient
from pos_core.settings import get_settings
from pos_core.vault import NOBODY, load_vault
from webhook_api.services.inbox import Delivered, Inbox

logger = logging.getLogger(__name__)

_SECRETS_FOR_SECONDS = 5.0
_MOST_CONNECTIONS = 10_000


@dataclass(frozen=True)
class Signing:
    """What a delivery may be signed with: by registered address, the secrets."""

    secrets: Sequence[tuple[str, Sequence[str]]] = field(repr=False)
    owner: Recipient | None = None

    def fits(self, webhook: Webhook, delivery: Delivery) -> bool:
        """Whether one of them made the signature; all are tried."""
        results = [
            webhook.verify(Delivery(delivery.body, delivery.headers, url), secrets)
            for url, secrets in self.secrets
        ]
        return any(results)


class Receiver:
    """One per process; its tasks run while the service does."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.refused: Counter[tuple[str, str]] = Counter()
        """Per POS and outcome, deliveries of which nothing is stored, not counted in the database yet."""
        self._signings: dict[object, tuple[float, Signing]] = {}

    async def receive(
        self, pos_system: str, configuration_id: UUID | None, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Returns when the delivery is committed; a repeated one changes nothing.

        Args:
            configuration_id: of an address that belongs to one connection.
            headers: by lower-case name.

        Raises:
            UnknownResourceError: there is no such address.
            WebhookSignatureError: it is not from the vendor.
            WebhookError: it is, but its body is none.
            WebhookSecretError, DatabaseError: our own failure; the vendor has to send it again.
        """
        connector = connectors().get(pos_system)
        if connector is None:
            raise UnknownResourceError(f"There is no POS system {pos_system[:40]!r}.")
        webhook = connector.webhook
        signing = await self._signing(connector, configuration_id)
        delivery = Delivery(body, headers)
        if not signing.fits(webhook, delivery):
            self.refused[pos_system, "refused"] += 1
            raise WebhookSignatureError("The signature does not fit; nothing was stored.")
        try:
            event, kept = webhook.read(delivery), webhook.keep(delivery)
        except WebhookError:
            self.refused[pos_system, "malformed"] += 1
            raise
        await self.inbox.put(Delivered(connector, event, kept, signing.owner))

    async def flush_counts(self) -> None:
        """Writes down what was counted since the last time."""
        for pos_system, times in list(self.inbox.repeated.items()):
            self.refused[pos_system, "repeated"] += self.inbox.repeated.pop(pos_system, times)
        for key, times in list(self.refused.items()):
            connection = await self.inbox.connection()
            await inbox.count(connection, *key, times)
            self.refused[key] -= times
            if not self.refused[key]:
                del self.refused[key]

    async def _signing(self, connector: Connector, configuration_id: UUID | None) -> Signing:
        key = configuration_id or connector.pos_system
        until, known = self._signings.get(key, (0.0, None))
        if known is not None and time.monotonic() < until:
            return known
        try:
            if configuration_id is None:
                found = await self._of_operator(connector)
            else:
                found = await self._of_configuration(connector, configuration_id)
        except (psycopg.Error, OSError, VaultError) as error:
            logger.warning("secrets could not be read: %s", type(error).__name__)
            raise DatabaseError("The event could not be verified; send it again.") from None
        if len(self._signings) > _MOST_CONNECTIONS:
            self._signings.clear()
        self._signings[key] = (time.monotonic() + _SECRETS_FOR_SECONDS, found)
        return found

    async def _of_operator(self, connector: Connector) -> Signing:
        if "application" not in connector.webhook.scopes:
            raise UnknownResourceError(f"{connector.title} sends to the address of each configuration.")
        address = address_of(connector.pos_system)
        secrets = [(address, tuple(connector.webhook.operator_secrets()))]
        vault = load_vault(get_settings())
        connection = await self.inbox.connection()
        for subscription_id, url, sealed in await inbox.sealed_keys(connection, connector.pos_system):
            keys = vault.open(NOBODY, subscription_id, sealed)
            secrets.append((url, tuple(str(keys[name]) for name in sorted(keys))))
        if not any(each for _, each in secrets):
            raise WebhookSecretError(
                f"There is no secret to verify events of {connector.title} with; send it again later."
            )
        return Signing(secrets)

    async def _of_configuration(self, connector: Connector, configuration_id: UUID) -> Signing:
        connection = await self.inbox.connection()
        found = await inbox.connection_of(connection, configuration_id)
        if (
            found is None
            or found.pos_system != connector.pos_system
            or "configuration" not in connector.webhook.scopes
        ):
            raise UnknownResourceError(f"There is no address for configuration {configuration_id}.")
        vault = load_vault(get_settings())
        credentials = vault.open(found.tenant_id, configuration_id, found.credentials_sealed)
        secrets = tuple(connector.webhook.configuration_secrets(credentials))
        if not secrets:
            raise WebhookSecretError(
                "The configuration has no secret to verify events with; send it again later."
            )
        address = address_of(connector.pos_system, configuration_id)
        return Signing([(address, secrets)], Recipient(configuration_id, found.tenant_id))


def address_of(pos_system: str, configuration_id: UUID | None = None) -> str:
    """The public address that a vendor is to send its events to, exactly as it has to be registered."""
    return get_settings().webhook_address(pos_system, configuration_id)
