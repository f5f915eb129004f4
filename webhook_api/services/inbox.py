"""Writes verified events to the inbox, many at once: nobody is answered before the commit.

While one batch commits the next one gathers, so the more events come, the fewer commits each of them costs.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from psycopg import AsyncConnection

from pipelines.connector import Connector
from pipelines.webhook import Event, Meaning
from pos_core.database.connect import service_address
from pos_core.database.roles import WEBHOOK_ROLE
from pos_core.errors import DatabaseError, DocumentError
from pos_core.repositories import inbox
from pos_core.repositories.inbox import Received, Recipient

logger = logging.getLogger(__name__)

_EVENTS_PER_COMMIT = 500
_KNOWN_FOR_SECONDS = 5.0
_MOST_KNOWN = 50_000


@dataclass(frozen=True)
class Delivered:
    """A genuine delivery, read.

    Args:
        body: without personal data.
        owner: the one configuration that its secret speaks for; None when it is the operator's.
    """

    connector: Connector
    event: Event
    body: bytes = field(repr=False)
    owner: Recipient | None = None


@dataclass
class Inbox:
    """The one writer of this process; its connection is made when the first event comes."""

    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever events were committed that somebody has to work off."""

    repeated: Counter[str] = field(default_factory=Counter)
    """Per POS, deliveries that were known already and have not been counted in the database yet."""

    _queue: asyncio.Queue[tuple[Delivered, asyncio.Future[None]]] = field(default_factory=asyncio.Queue)
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _connection: AsyncConnection | None = None
    _known: dict[tuple[str, str, bool], tuple[float, list[Recipient]]] = field(default_factory=dict)

    async def put(self, delivered: Delivered) -> None:
        """Returns when the event is committed.

        Raises:
            DatabaseError: it could not be; the vendor has to send it again.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((delivered, done))
        await done

    async def run(self) -> None:
        """Writes what is put, until it is cancelled."""
        try:
            while True:
                batch = [await self._queue.get()]
                while len(batch) < _EVENTS_PER_COMMIT and not self._queue.empty():
                    batch.append(self._queue.get_nowait())
                await self._write(batch)
        finally:
            await self.close()

    async def connection(self) -> AsyncConnection:
        """The receiver's connection, in autocommit mode; made anew when it was lost."""
        async with self._connecting:
            if self._connection is None or self._connection.closed:
                address = await asyncio.to_thread(service_address, WEBHOOK_ROLE)
                self._connection = await AsyncConnection.connect(address.libpq(), autocommit=True)
            return self._connection

    async def close(self) -> None:
        """Gives the connection up."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                await self._connection.close()
            self._connection = None

    async def _write(self, batch: Sequence[tuple[Delivered, asyncio.Future[None]]]) -> None:
        problem: DatabaseError | None = None
        try:
            connection = await self.connection()
            await self._find_recipients(connection, [delivered for delivered, _ in batch])
            rows = [row for delivered, _ in batch for row in self._rows(delivered)]
            for pos_system in {row.pos_system for row in rows}:
                some = [row for row in rows if row.pos_system == pos_system]
                self.repeated[pos_system] += len(some) - await inbox.store(connection, some)
            if any(row.outcome == "pending" for row in rows):
                self.arrived.set()
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(batch) > 1:  # one that the database refuses is not to keep the others out
                for each in batch:
                    await self._write([each])
                return
            problem = _not_stored(error)
        except Exception as error:  # whatever it is, the writer goes on and nobody is answered with a yes
            await self.close()
            problem = _not_stored(error)
        for _, done in batch:
            if done.cancelled():
                continue
            if problem:
                done.set_exception(problem)
            else:
                done.set_result(None)

    def _rows(self, delivered: Delivered) -> Iterator[Received]:
        event, connector = delivered.event, delivered.connector
        concerned: list[Recipient | None] = [*self._concerned(delivered)]
        for each in concerned or [None]:
            ignored = "ignored" if event.meaning is Meaning.NOTHING else "pending"
            outcome = ignored if each else "unknown_account"
            yield Received(
                pos_system=connector.pos_system,
                event_id=event.event_id,
                event_type=event.event_type,
                vendor_sent_at=event.sent_at,
                outcome=outcome,
                body=delivered.body if outcome == "pending" else None,
                external_ids=_announced(connector, event) if outcome == "pending" else (),
                configuration_id=each.configuration_id if each else None,
                tenant_id=each.tenant_id if each else None,
            )

    def _concerned(self, delivered: Delivered) -> Iterable[Recipient]:
        """The configurations that the event may concern; a secret of one speaks for that one alone."""
        owner, found = delivered.owner, {}
        names = list(_names(delivered))
        for name, is_location in names:
            _, recipients = self._known.get((delivered.connector.pos_system, name, is_location), (0, []))
            found.update({each.configuration_id: each for each in recipients})
        if owner is None:
            return found.values()
        return [owner] if not names or owner.configuration_id in found else []

    async def _find_recipients(self, connection: AsyncConnection, batch: Sequence[Delivered]) -> None:
        """Asks for the ids that are not known, or have been known for too long."""
        now = time.monotonic()
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        missing: dict[str, set[tuple[str, bool]]] = {}
        for delivered in batch:
            pos_system = delivered.connector.pos_system
            for name in _names(delivered):
                until, _ = self._known.get((pos_system, *name), (0.0, []))
                if until < now:
                    missing.setdefault(pos_system, set()).add(name)
        for pos_system, names in missing.items():
            accounts = [name for name, is_location in names if not is_location]
            locations = [name for name, is_location in names if is_location]
            found = await inbox.recipients(connection, pos_system, accounts, locations)
            for name in names:
                self._known.pop((pos_system, *name), None)
                if name in found:
                    self._known[pos_system, *name] = (now + _KNOWN_FOR_SECONDS, found[name])


def _not_stored(error: Exception) -> DatabaseError:
    logger.warning("events could not be stored: %s", type(error).__name__)
    return DatabaseError("The event could not be stored; send it again.")


def _names(delivered: Delivered) -> Iterator[tuple[str, bool]]:
    """The ids that the event claims: its accounts, else its shops."""
    event = delivered.event
    accounts = [(name, False) for name in event.account_ids]
    yield from accounts or [(name, True) for name in event.location_ids]


def _announced(connector: Connector, event: Event) -> list[str]:
    """The sales documents that the event is about."""
    ids = list(event.references.get(connector.sales_stream, ()))
    for document in event.documents.get(connector.sales_stream, ()):
        with suppress(DocumentError):
            ids.append(connector.identify(connector.sales_stream, document).external_id)
    return list(dict.fromkeys(ids))
