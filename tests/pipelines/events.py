"""Events of webhooks as the receiver leaves them in the inbox."""

import json
from collections.abc import Sequence
from typing import Any

from pos_core.repositories.configurations import Configuration
from tests.conftest import Project


def payment_event(order_id: str, **changed: Any) -> bytes:
    """What is kept of an event that says that the payment of an order has changed."""
    event = {"type": "payment.updated", "data": {"object": {"payment": {"order_id": order_id}}}, **changed}
    return json.dumps(event).encode()


def keep(project: Project, configuration: Configuration, bodies: Sequence[bytes]) -> None:
    """Puts events into the inbox."""
    for body in bodies:
        project.execute(
            "insert into pos_webhook_logs "
            "(tenant_id, configuration_id, pos_system, event_id, event_type, vendor_sent_at, body) values "
            "(:tenant, :configuration, :pos_system, gen_random_uuid()::text, :type, now(), :body)",
            tenant=configuration.tenant_id,
            configuration=configuration.id,
            pos_system=configuration.pos_system,
            type=json.loads(body)["type"],
            body=body,
        )


def outcomes(project: Project) -> list[str]:
    """What has become of the events, in their order."""
    return [row["outcome"] for row in project.rows("select outcome from pos_webhook_logs order by id")]
