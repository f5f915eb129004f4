"""Syncs many configurations at once: fetched side by side, landed together, each with its own fate."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from pipelines.breaker import Guard
from pipelines.connector import Connector
from pipelines.fetch import MOST_DOCUMENTS, Fetched, fetch
from pipelines.gather import land_together
from pipelines.landing import Batch
from pipelines.loss import compare
from pipelines.registry import get_connector
from pipelines.windows import Span
from pos_core.database.address import DatabaseAddress
from pos_core.errors import ConfigurationError
from pos_core.repositories import (
    configurations,
    documents,
    due_times,
    lateness,
    ledger,
    sync_logs,
    sync_requests,
)
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import held_configurations
from pos_core.vault import Vault

Ending = tuple[Fetched, Callable[[Connection], None]]
_SETTLED_AT_ONCE = 50
_IDS_PER_STATEMENT = 10_000  # a statement takes 65,535 parameters


@dataclass(frozen=True)
class Context:
    """What a process syncs with."""

    engine: Engine
    address: DatabaseAddress
    vault: Vault
    work_folder: Path
    workers: int = 8


@dataclass(frozen=True)
class Outcome:
    """How the sync of one configuration ended.

    Args:
        status: succeeded, failed, postponed (its vendor is down and was not asked), or busy (another run
            has it).
    """

    configuration: Configuration
    status: str
    fetched: Fetched | None = None

    @property
    def error(self) -> str | None:
        """What went wrong, or why the vendor was not asked, in plain words."""
        return self.fetched.error[1] if self.fetched and self.fetched.error else None


@dataclass(frozen=True)
class Report:
    """The outcomes of one sync, and the loads they were landed with (pos system, load id)."""

    outcomes: list[Outcome] = field(default_factory=list)
    loads: list[tuple[str, str]] = field(default_factory=list)

    @property
    def failed(self) -> list[Outcome]:
        """The configurations that could not be synced."""
        return [outcome for outcome in self.outcomes if outcome.status == "failed"]

    @property
    def postponed(self) -> list[Outcome]:
        """The configurations that were not asked for, because their vendor is down."""
        return [outcome for outcome in self.outcomes if outcome.status == "postponed"]

    def then(self, later: "Report") -> "Report":
        """Both as one: the last outcome of a configuration counts, its figures are those of both."""
        outcomes = {each.configuration.id: each for each in self.outcomes}
        for each in later.outcomes:
            before = outcomes.get(each.configuration.id)
            if before is not None and before.fetched is not None:
                if each.fetched is None:  # busy now, and read before
                    continue
                each.fetched.add(before.fetched)
            outcomes[each.configuration.id] = each
        return Report(list(outcomes.values()), [*self.loads, *later.loads])


def sync(
    context: Context,
    ids: Sequence[UUID],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    run_id: str | None = None,
    wait: bool = False,
    goes_on: bool = False,
    most: int = MOST_DOCUMENTS,
    is_scheduled: bool = False,
) -> Report:
    """Reads and lands what is missing of the configurations, and so does what was asked for of them.

    Of each a bounded part, the newest first; `has_more` of what was fetched tells where something is left.

    Args:
        since: have a range count as not read, from this instant on.
        until: with `since`, where that ends; by default now.
        wait: wait for configurations that another run is syncing; otherwise they come out as busy.
        goes_on: the range has been forgotten already, by a sync that left something of it.
        most: how many documents of each.
        is_scheduled: nobody asked for these: vendors that are known to be down are left alone.

    Raises:
        ConfigurationError: an id is unknown, or the range has no beginning or no length.
    """
    span = Span(since, until)
    with context.engine.begin() as connection:
        wanted = configurations.get_all(connection, list(dict.fromkeys(ids)))
        sync_requests.refuse(connection, [each.id for each in wanted])
    report = Report()
    active = [each for each in wanted if each.status == "active"]
    report.outcomes.extend(_refused(each) for each in wanted if each.status != "active")
    with held_configurations(context.engine, [each.id for each in active], wait) as ours:
        report.outcomes.extend(Outcome(each, "busy") for each in active if each.id not in ours)
        mine = [each for each in active if each.id in ours]

        def part(share: Context, connector: Connector, some: Sequence[Configuration]) -> Report:
            running = _begin(context.engine, connector, some, span, run_id, goes_on)
            guard = Guard(context.engine, connector, is_asked_for=not is_scheduled)
            return _sync_pos(share, connector, running, guard, most)

        return report.then(side_by_side(context, mine, part))


def side_by_side(
    context: Context,
    some: Sequence[Configuration],
    part: Callable[[Context, Connector, Sequence[Configuration]], Report],
) -> Report:
    """Works on the configurations of all POS systems at once: they wait for vendors and dlt, hardly for us.

    Args:
        part: does the work for those of one POS; of the workers it gets its share.
    """
    by_pos: dict[str, list[Configuration]] = defaultdict(list)
    for each in some:
        by_pos[each.pos_system].append(each)
    report = Report()
    if not by_pos:
        return report
    share = replace(context, workers=max(1, context.workers // len(by_pos)))
    with ThreadPoolExecutor(len(by_pos), thread_name_prefix="pos") as pool:
        working = [
            pool.submit(part, share, get_connector(pos_system), by_pos[pos_system])
            for pos_system in sorted(by_pos)
        ]
    for done in working:
        report = report.then(done.result())
    return report


def _refused(configuration: Configuration) -> Outcome:
    error = ConfigurationError(f"{configuration.name} is disabled: {configuration.status_reason}.")
    fetched = Fetched(configuration, configuration.id, "poll", error=(error.error_class, error.message))
    return Outcome(configuration, "failed", fetched)


def _begin(
    engine: Engine,
    connector: Connector,
    some: Sequence[Configuration],
    span: Span,
    run_id: str | None,
    goes_on: bool,
) -> list[Fetched]:
    """Opens the logs and takes what was asked for; the range, if there is one, is a gap from then on."""
    source = "poll" if span.since is None else "backfill"
    streams = [each.name for each in connector.streams]
    running = []
    # Those that work go first: they keep nobody waiting, and can tell whether the vendor is back.
    ordered = sorted(some, key=lambda one: one.consecutive_failures)
    with engine.begin() as connection:
        for each, sync_id in zip(ordered, sync_logs.start(connection, ordered, run_id, source), strict=True):
            is_taken_up = sync_requests.claim(connection, each.id, sync_id, span.since, span.until)
            if span.since is not None and not goes_on and not is_taken_up:
                ledger.forget(connection, each.id, streams, span.since, span.until)
            running.append(Fetched(each, sync_id, source))
    return running


def _sync_pos(
    context: Context, connector: Connector, running: Sequence[Fetched], guard: Guard, most: int
) -> Report:
    def read(fetched: Fetched, emit: Callable[[Batch], None]) -> None:
        fetch(context.engine, context.vault, connector, fetched, emit, most)

    report = Report()
    load_id = land_together(
        context.address,
        context.work_folder,
        context.workers,
        connector.pos_system,
        running,
        guard.before(read),
    )
    if load_id is not None:
        report.loads.append((connector.pos_system, load_id))
    report.outcomes.extend(settle(context, [(fetched, partial(_schedule, fetched)) for fetched in running]))
    return report


def settle(context: Context, some: Sequence[Ending]) -> Iterator[Outcome]:
    """Commits what the load makes true: windows, documents set aside, the logs; many at a time.

    Args:
        some: what was fetched, each with what else belongs to the transaction that closes its log.
    """
    for at in range(0, len(some), _SETTLED_AT_ONCE):
        batch = some[at : at + _SETTLED_AT_ONCE]
        try:
            _settle(context.engine, batch)
        except SQLAlchemyError:
            # One that cannot be settled must not take the others along.
            for each in batch:
                _settle(context.engine, [each])
        for fetched, _ in batch:
            yield Outcome(fetched.configuration, fetched.status, fetched)


def _settle(engine: Engine, some: Sequence[Ending]) -> None:
    with engine.begin() as connection:
        for fetched, also in some:
            if fetched.is_landed:
                try:
                    _make_true(connection, fetched)
                except ConfigurationError as error:
                    fetched.error = (error.error_class, error.message)
            compare(connection, fetched)
            sync_logs.finish(
                connection,
                fetched.sync_id,
                fetched.counts,
                fetched.seconds,
                fetched.error,
                fetched.status,
                has_more=fetched.has_more,
            )
            also(connection)


def _make_true(connection: Connection, fetched: Fetched) -> None:
    """What follows from the load; nothing of it where a location belongs to somebody else."""
    configuration = fetched.configuration
    tenant_id, configuration_id = configuration.tenant_id, configuration.id
    owner = {
        "tenant_id": tenant_id,
        "configuration_id": configuration_id,
        "pos_system": configuration.pos_system,
    }
    configurations.set_locations(
        connection,
        tenant_id,
        configuration_id,
        configuration.pos_system,
        sorted(fetched.locations.items()),
    )
    record_documents(connection, owner, fetched)
    ledger.commit(connection, tenant_id, configuration_id, fetched.sync_id, fetched.windows)
    lateness.record(connection, tenant_id, configuration_id, fetched.lateness.changes)


def _schedule(fetched: Fetched, connection: Connection) -> None:
    """When it is to be read again."""
    if fetched.postponed_until is not None:
        due_times.record_postponed(connection, fetched.configuration.id, fetched.postponed_until)
    elif fetched.error:
        due_times.record_failure(connection, fetched.configuration, fetched.error[0])
    else:
        due_times.record_success(connection, fetched.configuration.id, fetched.has_more)


def record_documents(connection: Connection, owner: dict[str, object], fetched: Fetched) -> None:
    """Notes which documents were quarantined, which are waited for, and which no longer are."""
    configuration_id = fetched.configuration.id
    fetched.counts.documents_quarantined = len(fetched.quarantined)
    fetched.counts.documents_waiting = sum(map(len, fetched.waiting.values()))
    documents.quarantine(
        connection,
        [
            {
                **owner,
                "stream": each.stream,
                "external_id": each.external_id,
                "content_hash": each.content_hash,
                "stage": "landing",
                "reason": each.reason,
                "document": each.text.encode("utf-8", "surrogatepass"),
                "source": fetched.source,
                "read_at": each.read_at,
            }
            for each in fetched.quarantined
        ],
    )
    for stream, landed in fetched.landed.items():
        for at in range(0, len(landed), _IDS_PER_STATEMENT):
            some = landed[at : at + _IDS_PER_STATEMENT]
            documents.stop_waiting(connection, configuration_id, stream, some)
            documents.resolve_quarantined(connection, configuration_id, stream, some)
    for stream, waiting in fetched.waiting.items():
        documents.wait_for(connection, owner, stream, sorted(waiting.items()))
