"""Puts together what is known of a POS's webhooks."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import Connection

from pipelines.connector import Connector
from pipelines.registry import connectors
from pos_core.database.connect import operator_engine, tenant_engine
from pos_core.errors import UnknownResourceError
from pos_core.repositories import webhook_figures
from pos_core.repositories.webhook_figures import Loss, Subscription
from webhook_api.schemas.webhooks import (
    ConfigurationWebhooks,
    EventCounts,
    Registration,
    SecondsToRow,
    WebhookStatus,
)
from webhook_api.services.receiver import address_of

_OF_CONFIGURATION = "{config_id}"


def webhook_status(pos_system: str, tenant_id: UUID, is_operator: bool) -> WebhookStatus:
    """The figures that the caller may see: those of its tenant, or of all for an operator.

    Raises:
        UnknownResourceError: there is no such POS.
    """
    connector = connectors().get(pos_system)
    if connector is None:
        raise UnknownResourceError(f"There is no POS system {pos_system[:40]!r}.")
    engine = operator_engine() if is_operator else tenant_engine(tenant_id)
    with tenant_engine(tenant_id).begin() as connection:
        losses = webhook_figures.losses(connection, tenant_id, pos_system)
    with engine.begin() as connection:
        return put_together(connection, connector, losses, is_operator)


def put_together(
    connection: Connection, connector: Connector, losses: Sequence[Loss], is_operator: bool
) -> WebhookStatus:
    """The figures of the events that a transaction may see.

    Args:
        losses: of the configurations to show.
        is_operator: whether it may see everything.
    """
    pos_system = connector.pos_system
    found = webhook_figures.figures(connection, pos_system)
    uncounted = webhook_figures.uncounted(connection, pos_system) if is_operator else None
    subscription = None
    if connector.webhook.registration is not None:
        subscription = webhook_figures.subscription(connection, pos_system, connector.base_url())
    return WebhookStatus(
        pos_system=pos_system,
        scope="everything" if is_operator else "tenant",
        registration=_registration(connector, subscription),
        last_event_at=found.last_event_at,
        last_hour=EventCounts(**asdict(found.last_hour)),
        last_day=EventCounts(**asdict(found.last_day)),
        not_stored_last_day=uncounted,
        seconds_to_row=SecondsToRow(p50=found.row_after_p50_seconds, p95=found.row_after_p95_seconds),
        pending=found.pending,
        oldest_pending_at=found.oldest_pending_at,
        configurations=[_configuration(connector, each) for each in losses],
    )


def _registration(connector: Connector, subscription: Subscription | None) -> Registration:
    webhook = connector.webhook
    is_for_all = "application" in webhook.scopes
    address = address_of(connector.pos_system) if is_for_all else None
    by_hand = webhook.instructions
    to_enter = address or f"{address_of(connector.pos_system)}/{_OF_CONFIGURATION}"
    made = subscription if subscription and subscription.external_id else None
    return Registration(
        is_registered=None if by_hand else made is not None,
        address=address,
        registered_address=made.url if made else None,
        is_enabled=made.is_enabled if made else None,
        checked_at=made.checked_at if made else None,
        problem=subscription.problem if subscription else None,
        has_secret=made is not None or any(webhook.operator_secrets()),
        instructions=by_hand(to_enter) if by_hand else None,
    )


def _configuration(connector: Connector, loss: Loss) -> ConfigurationWebhooks:
    has_own = "configuration" in connector.webhook.scopes
    address = address_of(connector.pos_system, loss.configuration_id) if has_own else None
    return ConfigurationWebhooks(**asdict(loss), address=address)
