"""Asking for syncs, and how a configuration's syncs are going."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, Engine

from pipelines.registry import get_connector
from pos_core.errors import ConfigurationInactiveError, UnknownConfigurationError
from pos_core.health import Health, LastSync, of_configuration
from pos_core.repositories import audit, configurations, coverage, documents, sync_logs, sync_requests
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.coverage import Coverage
from pos_core.repositories.documents import Problem
from pos_core.repositories.locks import busy_configurations
from pos_core.repositories.sync_logs import INTERRUPTED, SyncLog
from webhook_api.schemas.syncs import (
    Aside,
    DocumentCounts,
    Gap,
    Reason,
    StreamCoverage,
    Sync,
    SyncError,
    SyncRequest,
    SyncStatus,
    SyncWanted,
)

_FINISHED_SHOWN = 10
_OF_OPERATORS = {"settings", "vault", "database"}
_REASONS_SHOWN = 20


def request_sync(
    engine: Engine, tenant_id: UUID, configuration_id: UUID, wanted: SyncWanted, actor: Actor
) -> SyncRequest:
    """Asks for a sync; the same again while one is open is the same one.

    Raises:
        UnknownConfigurationError: the tenant has no such configuration.
        ConfigurationInactiveError: it is disabled or deleted.
        SyncBacklogError: too many of its syncs are open.
    """
    with engine.begin() as connection:
        configuration = _configuration(connection, tenant_id, configuration_id)
        if configuration.status != "active":
            reason = configuration.status_reason
            why = f": {reason}" if reason and reason != configuration.status else ""
            raise ConfigurationInactiveError(
                f"{configuration.name} is {configuration.status}{why}. Connect the account again to sync it."
            )
        made, is_new = sync_requests.ask(
            connection, tenant_id, configuration_id, actor.name, wanted.from_, wanted.to
        )
        if is_new:
            after = {
                "request_id": str(made.id),
                "from": made.read_from.isoformat() if made.read_from else None,
                "to": made.read_to.isoformat() if made.read_to else None,
            }
            audit.record(connection, tenant_id, configuration_id, actor, "sync.requested", after=after)
    return _as_request(made)


def find_request(engine: Engine, tenant_id: UUID, configuration_id: UUID, request_id: UUID) -> SyncRequest:
    """A sync that was asked for.

    Raises:
        UnknownConfigurationError: the tenant has no such configuration.
        UnknownResourceError: the configuration has no such request.
    """
    with engine.connect() as connection:
        _configuration(connection, tenant_id, configuration_id)
        return _as_request(sync_requests.get(connection, tenant_id, configuration_id, request_id))


def read_status(
    engine: Engine, tenant_id: UUID, configuration_id: UUID, dagster_address: str | None
) -> SyncStatus:
    """How a configuration's syncs are going.

    Args:
        dagster_address: where the runs have their pages; None for who may not see them.

    Raises:
        UnknownConfigurationError: the tenant has no such configuration.
    """
    now = datetime.now(UTC)
    with engine.connect() as connection:
        configuration = _configuration(connection, tenant_id, configuration_id)
        syncs = [_as_sync(each, dagster_address) for each in _last_syncs(connection, configuration)]
        opened = sync_requests.listed_open(connection, tenant_id, configuration_id)
        covered = _covered(connection, configuration)
        newest = coverage.newest_change_at(connection, tenant_id, configuration_id)
        aside = documents.problem_counts(connection, tenant_id, configuration_id, _REASONS_SHOWN)
    read_until = [each.read_until for each in covered]
    oldest = None if None in read_until else min((at for at in read_until if at), default=None)
    ended = next((each for each in syncs if each.status != "running"), None)
    health = _health(configuration, ended, oldest)
    return SyncStatus(
        configuration_id=configuration.id,
        status=configuration.status,
        status_reason=configuration.status_reason,
        state=health.state,
        message=health.message,
        as_of=now,
        next_sync_at=configuration.next_sync_at if configuration.status == "active" else None,
        open_hours=configuration.open_hours,
        last_succeeded_at=configuration.last_succeeded_at,
        consecutive_failures=configuration.consecutive_failures,
        lag_seconds=_seconds_since(oldest, now),
        newest_change_at=newest,
        newest_change_lag_seconds=_seconds_since(newest, now),
        running=next((each for each in syncs if each.status == "running"), None),
        finished=[each for each in syncs if each.status != "running"][:_FINISHED_SHOWN],
        open_requests=[_as_request(each) for each in opened],
        coverage=[_as_coverage(each) for each in covered],
        quarantined=_as_aside(*aside["quarantined"]),
        waiting=_as_aside(*aside["waiting"]),
    )


def _health(configuration: Configuration, ended: Sync | None, read_until: datetime | None) -> Health:
    last = None
    if ended is not None:
        last = LastSync(
            status=ended.status,
            read_until=read_until,
            documents_read=ended.documents.read,
            documents_new=ended.documents.new,
            documents_changed=ended.documents.changed,
            error_class=ended.error.kind if ended.error else None,
            error=ended.error.message if ended.error else None,
        )
    title = get_connector(configuration.pos_system).title
    failures = configuration.consecutive_failures
    return of_configuration(title, configuration.status, configuration.status_reason, failures, last)


def _configuration(connection: Connection, tenant_id: UUID, configuration_id: UUID) -> Configuration:
    configuration = configurations.get(connection, configuration_id)
    if configuration.tenant_id != tenant_id:
        raise UnknownConfigurationError(f"There is no configuration {configuration_id}.")
    return configuration


def _last_syncs(connection: Connection, configuration: Configuration) -> list[tuple[SyncLog, bool]]:
    """The last syncs, each with whether its process is gone although its row says that it runs."""
    arguments = connection, configuration.tenant_id, configuration.id, _FINISHED_SHOWN + 1
    logs = sync_logs.recent(*arguments)
    running = {each.id for each in logs if each.status == "running"}
    if not running or busy_configurations(connection, [configuration.id]):
        return [(each, False) for each in logs]
    # What still runs in the log after its lock was found free has not ended: its process has.
    return [(each, each.id in running and each.status == "running") for each in sync_logs.recent(*arguments)]


def _covered(connection: Connection, configuration: Configuration) -> list[Coverage]:
    gapless = [
        each
        for each in get_connector(configuration.pos_system).streams
        if each.is_gapless and not each.holds_locations
    ]
    return coverage.coverage(
        connection,
        configuration.tenant_id,
        configuration.id,
        [each.name for each in gapless if not each.is_per_location],
        [each.name for each in gapless if each.is_per_location],
    )


def _as_sync(found: tuple[SyncLog, bool], dagster_address: str | None) -> Sync:
    log, is_dead = found
    kind, message = INTERRUPTED if is_dead else (log.error_class, log.error)
    return Sync(
        id=log.id,
        source=log.source,
        status="failed" if is_dead else log.status,
        started_at=log.started_at,
        finished_at=log.finished_at,
        windows_read=log.windows_read,
        calls=log.calls,
        pages=log.pages,
        retries=log.retries,
        received_bytes=log.received_bytes,
        documents=DocumentCounts(
            read=log.documents_read,
            landed=log.documents_landed,
            new=log.documents_new,
            changed=log.documents_changed,
            skipped=log.documents_skipped,
            quarantined=log.documents_quarantined,
            waiting=log.documents_waiting,
        ),
        seconds=log.seconds or {},
        error=SyncError(kind=kind, message=_told(kind, message or "", dagster_address)) if kind else None,
        run_id=log.run_id,
        run_url=f"{dagster_address}/runs/{log.run_id}" if dagster_address and log.run_id else None,
    )


def _told(kind: str, message: str, dagster_address: str | None) -> str:
    """What of our own set-up is wrong is told to operators; its words name settings and addresses."""
    if kind in _OF_OPERATORS and dagster_address is None:
        return "The service is not set up for this account at the moment; its operator has to see to it."
    return message


def _as_request(request: sync_requests.SyncRequest) -> SyncRequest:
    return SyncRequest(
        id=request.id,
        configuration_id=request.configuration_id,
        status=request.status,
        requested_by=request.requested_by,
        requested_at=request.requested_at,
        from_=request.read_from,
        to=request.read_to,
        finished_at=request.finished_at,
        sync_id=request.sync_id,
    )


def _as_coverage(found: Coverage) -> StreamCoverage:
    return StreamCoverage(
        stream=found.stream,
        location_id=found.external_location_id or None,
        location_name=found.location_name,
        read_until=found.read_until,
        gap_count=found.gap_count,
        gaps=[Gap(from_=start, to=end) for start, end in found.gaps],
    )


def _as_aside(documents: int, problems: list[Problem]) -> Aside:
    reasons = [
        Reason(
            stream=each.stream, reason=each.reason, documents=each.documents, last_seen_at=each.last_seen_at
        )
        for each in problems
    ]
    return Aside(documents=documents, reasons=reasons)


def _seconds_since(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, (now - at).total_seconds())
