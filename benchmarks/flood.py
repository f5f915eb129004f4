"""A flood of mutated webhooks: none may break the service, none that is forged may be accepted or stored."""

import os
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.deliveries import Sent, Shop, capturing, connect_shops
from benchmarks.load import Load, send
from benchmarks.machine import Figure, Measured
from benchmarks.mutations import Mutation, mutations, proof_covers_body
from benchmarks.sandboxes import made_up_shops
from benchmarks.serving import service
from pipelines.registry import get_connector
from pipelines.webhook import Delivery
from pos_cli.commands.database import normalise_now
from pos_cli.sandbox import sandbox_environment
from pos_cli.setup import initialise
from pos_core.database.connect import get_engine
from pos_core.settings import get_settings

_CONNECTIONS = 16
_SHOPS_PER_POS = 2
_SALES_EACH = 20
_SEED = 7
_SHOWN = 300


@dataclass
class Flood:
    """How mutations were answered.

    Args:
        answers: by kind of mutation and status, None where there was no answer.
        broken: those that were answered with a 5xx, as they were sent.
        accepted: those that are forged and were accepted.
        unanswered: those that had no answer, but for the ones that were cut on purpose.
    """

    answers: Counter[tuple[str, int | None]] = field(default_factory=Counter)
    broken: list[Mutation] = field(default_factory=list)
    accepted: list[Mutation] = field(default_factory=list)
    unanswered: list[Mutation] = field(default_factory=list)
    load: Load = field(default_factory=Load)

    def note(self, mutation: Mutation, status: int | None) -> None:
        """Takes one answer."""
        self.answers[mutation.kind, status] += 1
        if status is None and mutation.after != "cut":
            self.unanswered.append(mutation)
        elif status is not None and status >= 500:
            self.broken.append(mutation)
        elif status is not None and status < 300 and mutation.is_forged:
            self.accepted.append(mutation)


def measure_flood(home: Path, count: int) -> list[Measured]:
    """Mutations of genuine deliveries of every POS, to the service as its own process."""
    os.environ["WEBHOOK_SECRET"] = operator_secret = secrets.token_hex(16)
    ready = initialise()
    normalise_now(ready)
    with made_up_shops(home, _SHOPS_PER_POS, _SHOPS_PER_POS) as url:
        os.environ.update(sandbox_environment(url))
        shops = connect_shops(url, operator_secret)
        with capturing(url, shops) as capture:
            genuine = capture.sold(_SALES_EACH)
    with service(home):
        found = flooded(get_settings().api_port, mutations(genuine, count, _SEED))
    for each in (*found.broken, *found.accepted, *found.unanswered):
        print(each.kind, each.data[:_SHOWN])
    figures = [
        Figure("5xx", len(found.broken), below=1),
        Figure("forged and accepted", len(found.accepted), below=1),
        Figure("forged and stored", len(forged_rows(get_engine(), genuine, shops)), below=1),
        Figure("without an answer", len(found.unanswered)),
        Figure("answered a second", count / found.load.wall_seconds),
        *(Figure(f"answered {status}", times) for status, times in sorted(found.load.statuses.items())),
    ]
    return [Measured("mutated webhooks", count, "mutations", found.load.wall_seconds, figures=figures)]


def flooded(port: int, some: Iterable[Mutation]) -> Flood:
    """Sends mutations to the service at a port of this machine, and sees how it answers."""
    found = Flood()
    found.load = send(port, some, _CONNECTIONS, on_answer=found.note)
    return found


def forged_rows(engine: Engine, genuine: Sequence[Sent], shops: Sequence[Shop]) -> list[tuple[str, str]]:
    """Stored events that no vendor sent: (POS, id of the event).

    Of a vendor whose proof covers the body, each has to be one of the genuine deliveries, word for word. Who
    has the password of another vendor may say anything, but of the configuration alone that it is for; an
    event that concerns none leads to nothing.
    """
    known = {(each.pos_system, *_as_stored(each)) for each in genuine}
    events = {(pos_system, event_id) for pos_system, event_id, _ in known}
    configurations = {None, *(each.configuration_id for each in shops)}
    query = text("select pos_system, event_id, body, configuration_id from pos_webhook_logs")
    with engine.connect() as connection:
        rows: Sequence[Any] = connection.execute(query).all()
    found = []
    for pos_system, event_id, body, configuration_id in rows:
        is_known = (pos_system, event_id) in events and (
            body is None or (pos_system, event_id, bytes(body)) in known
        )
        if configuration_id not in configurations or (proof_covers_body(pos_system) and not is_known):
            found.append((pos_system, event_id))
    return found


def _as_stored(sent: Sent) -> tuple[str, bytes]:
    """The id of a delivery, and its body as it may be stored."""
    webhook = get_connector(sent.pos_system).webhook
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in sent.headers}
    delivery = Delivery(sent.body, headers)
    return webhook.read(delivery).event_id, webhook.keep(delivery)
