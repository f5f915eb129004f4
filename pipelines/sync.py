"""Syncs many configurations at once: fetched side by side, landed together, each with its own fate."""

import logging
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pyarrow as pa
from sqlalchemy import Connection, Engine

from pipelines.connector import Connector
from pipelines.fetch import Fetched, fetch
from pipelines.landing import Batch, land
from pipelines.registry import get_connector
from pipelines.windows import Span
from pos_core.database.address import DatabaseAddress
from pos_core.errors import ConfigurationError, PosError
from pos_core.repositories import configurations, documents, ledger, sync_logs, sync_requests
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.locks import held_configurations
from pos_core.vault import Vault

logger = logging.getLogger(__name__)

_QUEUED_BATCHES = 64
_ROWS_PER_TABLE = 5000
_IDS_PER_STATEMENT = 10_000  # a statement takes 65,535 parameters
_STOP_CHECK_SECONDS = 0.2


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
    """How the sync of one configuration ended: succeeded, failed, or busy (another run has it)."""

    configuration: Configuration
    status: str
    fetched: Fetched | None = None

    @property
    def error(self) -> str | None:
        """What went wrong, in plain words."""
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


def sync(
    context: Context,
    ids: Sequence[UUID],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    run_id: str | None = None,
    wait: bool = False,
) -> Report:
    """Reads and lands what is missing of the configurations, and so does what was asked for of them.

    Args:
        since: read again from this instant on.
        until: with `since`, where that ends; by default now.
        wait: wait for configurations that another run is syncing; otherwise they come out as busy.

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
            _sync_pos(context, get_connector(pos_system), some, span, run_id, report)
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
) -> None:
    source = "poll" if span.since is None else "backfill"
    with context.engine.begin() as connection:
        running = [
            Fetched(each, sync_logs.start(connection, each.tenant_id, each.id, run_id, source), source)
            for each in some
        ]
        for fetched in running:
            sync_requests.claim(connection, fetched.configuration.id, fetched.sync_id, span.since, span.until)
    started = time.monotonic()
    load_id, problem = None, None
    try:
        with _Fetching(context, connector, running, span) as fetching:
            load_id = land(context.address, connector.pos_system, fetching.batches(), context.work_folder)
    except Exception as error:
        logger.exception("landing documents of %s failed", connector.pos_system)
        problem = ("landing", f"The documents could not be landed ({type(error).__name__}).")
    if load_id is not None:
        report.loads.append((connector.pos_system, load_id))
    for fetched in running:
        fetched.seconds["land"] = round(time.monotonic() - started, 3)
        if problem:
            fetched.error = problem
        report.outcomes.append(_settle(context, fetched, span, landed=problem is None))


def _settle(context: Context, fetched: Fetched, span: Span, landed: bool) -> Outcome:
    """Commits what the load makes true: windows, documents set aside, the log, the next time."""
    configuration = fetched.configuration
    owner = {
        "tenant_id": configuration.tenant_id,
        "configuration_id": configuration.id,
        "pos_system": configuration.pos_system,
    }
    if landed:
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
        sync_logs.finish(connection, fetched.sync_id, fetched.counts, fetched.seconds, fetched.error)
        # A range with an end has not read what is new: when that is due stays as it was.
        if span.until is None and fetched.error:
            configurations.record_failure(connection, configuration)
        elif span.until is None:
            configurations.record_success(connection, configuration.id)
    return Outcome(configuration, "failed" if fetched.error else "succeeded", fetched)


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


class _Fetching:
    """Fetches configurations in threads; their batches come out as one bounded stream."""

    def __init__(
        self,
        context: Context,
        connector: Connector,
        running: Sequence[Fetched],
        span: Span,
    ) -> None:
        self._context = context
        self._connector = connector
        self._running = running
        self._span = span
        self._queue: queue.Queue[Batch | None] = queue.Queue(_QUEUED_BATCHES)
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(context.workers, thread_name_prefix="fetch")
        self._futures: list[Future[None]] = []

    def __enter__(self) -> "_Fetching":
        self._futures = [self._pool.submit(self._fetch, each) for each in self._running]
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopped.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def batches(self) -> Iterator[Batch]:
        """All batches; small ones of the same stream are put together."""
        gathered: dict[str, list[pa.Table]] = {}
        for batch in self._arriving():
            tables = gathered.setdefault(batch.stream, [])
            tables.append(batch.table)
            if sum(table.num_rows for table in tables) >= _ROWS_PER_TABLE:
                yield Batch(batch.stream, pa.concat_tables(gathered.pop(batch.stream)))
        for stream, tables in gathered.items():
            yield Batch(stream, pa.concat_tables(tables))

    def _arriving(self) -> Iterator[Batch]:
        """Until each fetch has put its None, the sign that it has ended."""
        ended = 0
        while ended < len(self._running):
            batch = self._queue.get()
            if batch is None:
                ended += 1
            else:
                yield batch

    def _fetch(self, fetched: Fetched) -> None:
        context = self._context
        try:
            fetch(context.engine, context.vault, self._connector, fetched, self._span, self._put)
        except _StoppedError:
            fetched.error = ("interrupted", "The sync was stopped.")
        except PosError as error:
            fetched.error = (error.error_class, error.message)
        except Exception as error:
            logger.exception("fetching configuration %s failed", fetched.configuration.id)
            fetched.error = ("internal", f"Reading failed unexpectedly ({type(error).__name__}).")
        finally:
            with suppress(_StoppedError):
                self._put(None)

    def _put(self, batch: Batch | None) -> None:
        while not self._stopped.is_set():
            try:
                self._queue.put(batch, timeout=_STOP_CHECK_SECONDS)
                return
            except queue.Full:
                continue
        raise _StoppedError


class _StoppedError(Exception):
    """Whoever lands the batches has gone."""
