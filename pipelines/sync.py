"""Syncs many configurations at once: fetched side by side, landed together, each with its own fate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, Engine

from pipelines.breaker import Guard
from pipelines.connector import Connector
from pipelines.fetch import Fetched, fetch
from pipelines.gather import land_together
from pipelines.landing import Batch
from pipelines.loss import compare
from pipelines.registry import get_connector
from pipelines.windows import Span
from pos_core.database.address import DatabaseAddress
from pos_core.errors import ConfigurationError
from pos_core.repositories import configurations, documents, due_times, ledger, sync_logs, sync_requests
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import held_configurations
from pos_core.vault import Vault

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
    is_scheduled: bool = False,
) -> Report:
    """Reads and lands what is missing of the configurations, and so does what was asked for of them.

    Args:
        since: read again from this instant on.
        until: with `since`, where that ends; by default now.
        wait: wait for configurations that another run is syncing; otherwise they come out as busy.
        is_scheduled: nobody asked for these: vendors that are known to be down are left alone.

    Raises:
        ConfigurationError: an id is unknown, or the range has no beginning or no length.
    """
    span = Span(since, until)
    with context.engine.begin() as connection:
        wanted = [configurations.get(connection, each) for each in dict.fromkeys(ids)]
        sync_requests.refuse(connection, [each.id for each in wanted])
    report = Report()
    active = [each for each in wanted if each.status == "active"]
    report.outcomes.extend(_refused(each) for each in wanted if each.status != "active")
    with held_configurations(context.engine, [each.id for each in active], wait) as ours:
        report.outcomes.extend(Outcome(each, "busy") for each in active if each.id not in ours)
        mine = [each for each in active if each.id in ours]
        for pos_system in sorted({each.pos_system for each in mine}):
            some = [each for each in mine if each.pos_system == pos_system]
            guard = Guard(context.engine, get_connector(pos_system), is_asked_for=not is_scheduled)
            _sync_pos(context, get_connector(pos_system), some, span, run_id, report, guard)
    return report


def _refused(configuration: Configuration) -> Outcome:
    error = ConfigurationError(f"{configuration.name} is disabled: {configuration.status_reason}.")
    fetched = Fetched(configuration, configuration.id, "poll", error=(error.error_class, error.message))
    return Outcome(configuration, "failed", fetched)


def _sync_pos(
    context: Context,
    connector: Connector,
    some: Sequence[Configuration],
    span: Span,
    run_id: str | None,
    report: Report,
    guard: Guard,
) -> None:
    source = "poll" if span.since is None else "backfill"
    with context.engine.begin() as connection:
        running = [
            Fetched(each, sync_logs.start(connection, each.tenant_id, each.id, run_id, source), source)
            # Those that work go first: they keep nobody waiting, and can tell whether the vendor is back.
            for each in sorted(some, key=lambda one: one.consecutive_failures)
        ]
        for fetched in running:
            sync_requests.claim(connection, fetched.configuration.id, fetched.sync_id, span.since, span.until)

    def read(fetched: Fetched, emit: Callable[[Batch], None]) -> None:
        fetch(context.engine, context.vault, connector, fetched, span, emit)

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
    for fetched in running:
        report.outcomes.append(settle(context, fetched, partial(_schedule, fetched, span)))


def settle(context: Context, fetched: Fetched, also: Callable[[Connection], None]) -> Outcome:
    """Commits what the load makes true: windows, documents set aside, the log.

    Args:
        also: what else belongs to the transaction that closes the log.
    """
    configuration = fetched.configuration
    owner = {
        "tenant_id": configuration.tenant_id,
        "configuration_id": configuration.id,
        "pos_system": configuration.pos_system,
    }
    if fetched.is_landed:
        try:
            with context.engine.begin() as connection:
                configurations.set_locations(
                    connection,
                    configuration.tenant_id,
                    configuration.id,
                    configuration.pos_system,
                    sorted(fetched.locations.items()),
                )
                record_documents(connection, owner, fetched)
                ledger.commit(
                    connection,
                    configuration.tenant_id,
                    configuration.id,
                    fetched.sync_id,
                    fetched.windows,
                )
        except ConfigurationError as error:
            fetched.error = (error.error_class, error.message)
    with context.engine.begin() as connection:
        compare(connection, fetched)
        sync_logs.finish(
            connection, fetched.sync_id, fetched.counts, fetched.seconds, fetched.error, fetched.status
        )
        also(connection)
    return Outcome(configuration, fetched.status, fetched)


def _schedule(fetched: Fetched, span: Span, connection: Connection) -> None:
    """When it is to be read again; a range with an end reads nothing new and leaves that as it was."""
    if span.until is not None:
        return
    if fetched.postponed_until is not None:
        due_times.record_postponed(connection, fetched.configuration.id, fetched.postponed_until)
    elif fetched.error:
        due_times.record_failure(connection, fetched.configuration, fetched.error[0])
    else:
        due_times.record_success(connection, fetched.configuration.id)


def record_documents(connection: Connection, owner: dict[str, object], fetched: Fetched) -> None:
    """Notes which documents were quarantined, which are waited for, and which no longer are."""
    configuration_id = fetched.configuration.id
    fetched.counts.documents_quarantined = len(fetched.quarantined)
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
        fetched.counts.documents_waiting += len(waiting)
        documents.wait_for(connection, owner, stream, sorted(waiting.items()))
