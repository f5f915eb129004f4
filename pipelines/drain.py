"""Works off the events of webhooks: of all configurations that have some, together.

An event is a hint. It leads to documents that are asked for by id, it is itself the document, or it wakes a
read of the account; what it leads to is landed and counted as what a poll finds. What cannot be done now (the
vendor does not have yet what it announced, does not answer, another run has the configuration) is tried again
later; an event is done in the transaction that settles what it led to.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection

from pipelines.breaker import Guard
from pipelines.connector import Connector, Page
from pipelines.credentials import StoredKeeper
from pipelines.fetch import Fetched, fetch, take_page
from pipelines.gather import land_together
from pipelines.landing import Batch
from pipelines.normalise import normalise
from pipelines.rounds import Round
from pipelines.sync import Context, Outcome, Report, settle, side_by_side
from pipelines.timing import note_normalising
from pipelines.webhook import Delivery, Event, Meaning
from pos_core.errors import ConfigurationError, DocumentError, VendorAuthError, WebhookError
from pos_core.repositories import configurations, due_times, sync_logs, webhooks
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import held_configurations, tried_key
from pos_core.repositories.webhooks import Pending

logger = logging.getLogger(__name__)

SOURCE = "webhook"
KEPT_FOR = timedelta(days=30)
"""How long the body of an event is kept after it was worked off; then ids, types and times are left."""
_EVENTS_AT_ONCE = 2000
_BUSY_FOR = timedelta(seconds=2)
_LINGER_SECONDS = 3.0
_STEP_SECONDS = 0.1
_NOT_THERE_YET = "The vendor does not have yet, or not whole, what the event announced."


@dataclass
class Task:
    """The events of one configuration, and what has become of them."""

    fetched: Fetched
    events: list[tuple[Pending, Event]]
    unread: list[Pending] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    undone: list[Pending] = field(default_factory=list)
    revoked: str | None = None
    pulled: bool = False


def drain(context: Context, dbt_folder: Path, run_id: str | None, budget_seconds: float) -> Iterator[Round]:
    """Works off what waits, until nothing does; one drain at a time, a second one ends at once.

    Args:
        dbt_folder: as `normalise` takes it.
        budget_seconds: after so long the rest is left to the next drain.

    Yields:
        Each round when its rows are in the marts.
    """
    with tried_key(context.engine, webhooks.DRAIN_LOCK) as ours:
        if not ours:
            return
        end_seconds = time.monotonic() + budget_seconds
        while time.monotonic() < end_seconds:
            with context.engine.begin() as connection:
                events = webhooks.take(connection, _EVENTS_AT_ONCE)
            if events:
                report = _round(context, events, run_id)
                normalised = normalise(context.engine, context.address, dbt_folder)
                with context.engine.begin() as connection:
                    webhooks.mark_visible(connection, [each.id for each in events])
                note_normalising(context, report, normalised)
                yield Round(report, normalised)
            elif not _linger(context, end_seconds):
                break
        else:
            with context.engine.begin() as connection:
                webhooks.open_gate(connection)
        with context.engine.begin() as connection:
            webhooks.forget_bodies(connection, KEPT_FOR)


def _linger(context: Context, end_seconds: float) -> bool:
    """Waits for events that are to be tried again in a moment; False when there is nothing to wait for."""
    until = min(time.monotonic() + _LINGER_SECONDS, end_seconds)
    while True:
        with context.engine.begin() as connection:
            soon = webhooks.waits_until(connection, timedelta(seconds=_LINGER_SECONDS))
            if not soon and webhooks.close_gate(connection):
                return False
            if webhooks.is_due(connection) or time.monotonic() >= until:
                return True
        time.sleep(_STEP_SECONDS)


def _round(context: Context, events: Sequence[Pending], run_id: str | None) -> Report:
    report = Report()
    by_configuration: dict[UUID, list[Pending]] = defaultdict(list)
    for event in events:
        by_configuration[event.configuration_id].append(event)
    with context.engine.begin() as connection:
        concerned = configurations.get_all(connection, list(by_configuration))
        gone = [each for each in concerned if each.status != "active"]
        webhooks.finish(connection, _ids(by_configuration, gone), "ignored")
    live = [each for each in concerned if each.status == "active"]
    with held_configurations(context.engine, [each.id for each in live]) as ours:
        busy = [each for each in live if each.id not in ours]
        report.outcomes.extend(Outcome(each, "busy") for each in busy)
        with context.engine.begin() as connection:
            webhooks.defer(connection, _ids(by_configuration, busy), _BUSY_FOR)
        mine = [each for each in live if each.id in ours]

        def part(share: Context, connector: Connector, some: Sequence[Configuration]) -> Report:
            return _work_off(share, connector, some, by_configuration, run_id)

        return report.then(side_by_side(context, mine, part))


def _ids(events: Mapping[UUID, Sequence[Pending]], of: Iterable[Configuration]) -> list[int]:
    return [event.id for configuration in of for event in events[configuration.id]]


def _work_off(
    context: Context,
    connector: Connector,
    some: Sequence[Configuration],
    events: Mapping[UUID, Sequence[Pending]],
    run_id: str | None,
) -> Report:
    report = Report()
    tasks: dict[UUID, Task] = {}
    with context.engine.begin() as connection:
        for each, sync_id in zip(some, sync_logs.start(connection, some, run_id, SOURCE), strict=True):
            tasks[each.id] = _read_events(connector, Fetched(each, sync_id, SOURCE), events[each.id])

    def follow(fetched: Fetched, emit: Callable[[Batch], None]) -> None:
        _follow(context, connector, tasks[fetched.configuration.id], emit)

    ask = Guard(context.engine, connector, is_asked_for=False).before(follow)

    def work(fetched: Fetched, emit: Callable[[Batch], None]) -> None:
        wanted = {event.meaning for _, event in tasks[fetched.configuration.id].events}
        # What comes with the events needs no vendor.
        (follow if wanted <= {Meaning.DOCUMENTS, Meaning.NOTHING} else ask)(fetched, emit)

    running = [task.fetched for task in tasks.values()]
    load_id = land_together(
        context.address, context.work_folder, context.workers, connector.pos_system, running, work
    )
    if load_id is not None:
        report.loads.append((connector.pos_system, load_id))
    report.outcomes.extend(
        settle(context, [(task.fetched, partial(_conclude, task)) for task in tasks.values()])
    )
    return report


def _read_events(connector: Connector, fetched: Fetched, events: Sequence[Pending]) -> Task:
    """What the stored bodies say; one that says nothing any more is left to the next poll."""
    task = Task(fetched, [])
    for each in events:
        try:
            task.events.append((each, connector.webhook.read(Delivery(each.body, {}))))
        except WebhookError:
            task.unread.append(each)
    return task


def _follow(context: Context, connector: Connector, task: Task, emit: Callable[[Batch], None]) -> None:
    """Does what the events of a configuration want; those that must wait are noted as undone.

    Raises:
        PosError: the vendor could not be asked; what was read until then stays.
    """
    wanted: dict[Meaning, list[tuple[Pending, Event]]] = defaultdict(list)
    for pending, event in task.events:
        wanted[event.meaning].append((pending, event))
    for pending, event in wanted[Meaning.DOCUMENTS]:
        for stream, documents in event.documents.items():
            for batch in _taken(context, connector, task, Page(stream, documents, pending.received_at)):
                emit(batch)
        task.done.append(pending.id)
    task.done.extend(pending.id for pending, _ in wanted[Meaning.NOTHING])
    if wanted[Meaning.REVOKED]:
        task.revoked = _ask_whether_revoked(context, connector, task.fetched.configuration)
        task.done.extend(pending.id for pending, _ in wanted[Meaning.REVOKED])
        if task.revoked:
            task.done.extend(pending.id for pending, _ in task.events if pending.id not in task.done)
            return
    if wanted[Meaning.LOOK_UP]:
        _look_up(context, connector, task, wanted[Meaning.LOOK_UP], emit)
    if wanted[Meaning.PULL]:
        fetch(context.engine, context.vault, connector, task.fetched, emit, is_newest_only=True)
        task.pulled = True
        task.done.extend(pending.id for pending, _ in wanted[Meaning.PULL])


def _taken(context: Context, connector: Connector, task: Task, page: Page) -> Iterable[Batch]:
    return take_page(context.engine, connector, task.fetched, page)


def _look_up(
    context: Context,
    connector: Connector,
    task: Task,
    events: Sequence[tuple[Pending, Event]],
    emit: Callable[[Batch], None],
) -> None:
    """Asks for what the events name, each once; an event is done when the vendor had all of it, and whole."""
    references: dict[str, dict[str, None]] = defaultdict(dict)
    for _, event in events:
        for stream, ids in event.references.items():
            references[stream].update(dict.fromkeys(ids))
    configuration = task.fetched.configuration
    _require_address(connector, configuration)
    found: set[tuple[str, str]] = set()
    keeper = StoredKeeper(context.engine, context.vault, configuration)
    assert connector.lookup is not None
    with connector.open_http(configuration.base_url, keeper) as http:
        try:
            for page in connector.lookup(http, {stream: list(ids) for stream, ids in references.items()}):
                found.update((page.stream, each) for each in _identified(connector, page))
                for batch in _taken(context, connector, task, page):
                    emit(batch)
        finally:
            task.fetched.counts.calls += http.usage.calls
            task.fetched.counts.retries += http.usage.retries
            task.fetched.counts.received_bytes += http.usage.received_bytes
    unfinished = {(stream, each) for stream, ids in task.fetched.waiting.items() for each in ids}
    for pending, event in events:
        named = {(stream, each) for stream, ids in event.references.items() for each in ids}
        if named <= found - unfinished:
            task.done.append(pending.id)
        else:
            task.undone.append(pending)


def _identified(connector: Connector, page: Page) -> Iterator[str]:
    for document in page.documents:
        try:
            yield connector.identify(page.stream, document).external_id
        except DocumentError:
            continue


def _require_address(connector: Connector, configuration: Configuration) -> None:
    if configuration.base_url != connector.base_url():
        raise ConfigurationError(
            f"{configuration.name} was connected at {configuration.base_url}, this process is set to "
            f"{connector.base_url()}; a configuration stays with the address it was made for."
        )


def _ask_whether_revoked(context: Context, connector: Connector, configuration: Configuration) -> str | None:
    """Why the access has ended, in plain words; None when the vendor accepts it still, or again."""
    _require_address(connector, configuration)
    keeper = StoredKeeper(context.engine, context.vault, configuration)
    try:
        with connector.open_http(configuration.base_url, keeper) as http:
            connector.confirm(http, keeper.current)
    except VendorAuthError:
        return f"{connector.title} says that the access was revoked; connect the account again"
    return None


def _conclude(task: Task, connection: Connection) -> None:
    """What has become of the events, in the transaction that closes the sync's log."""
    fetched = task.fetched
    webhooks.postpone(connection, task.unread, "The stored event cannot be read.")
    if fetched.postponed_until is not None:
        waiting = [each.id for each, _ in task.events]
        webhooks.defer(connection, waiting, fetched.postponed_until)
        return
    if fetched.error or not fetched.is_landed:
        reason = fetched.error[1] if fetched.error else "The documents could not be landed."
        kept = set(task.done) if fetched.is_landed else set()
        webhooks.finish(connection, sorted(kept))
        webhooks.postpone(connection, [each for each, _ in task.events if each.id not in kept], reason)
        return
    webhooks.finish(connection, task.done)
    webhooks.postpone(connection, task.undone, _NOT_THERE_YET)
    if task.revoked:
        actor = Actor(f"webhook:{fetched.configuration.pos_system}")
        configurations.disable(connection, fetched.configuration.id, task.revoked, actor)
    elif task.pulled:
        due_times.record_success(connection, fetched.configuration.id, fetched.has_more)
