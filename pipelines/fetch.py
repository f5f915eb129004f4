"""One configuration, from the vendor's pages to batches that are ready to land."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Engine

from pipelines.connector import Connector, Page, ReadRequest, WindowRead
from pipelines.credentials import StoredKeeper
from pipelines.documents import Known, Landable, Unlandable, is_news, prepare
from pipelines.landing import Batch, make_batch
from pipelines.lateness import Lateness, measure
from pipelines.windows import FIRST_SLICE, Interval, Plan, reread_name
from pos_core.errors import ConfigurationError
from pos_core.repositories import documents, lateness, ledger
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.ledger import Window
from pos_core.repositories.sync_logs import SyncCounts
from pos_core.vault import Vault

MOST_DOCUMENTS = 5_000
"""After so many of one configuration it is the others' turn."""
_LONGEST_VALUE = 60
_BEGINNING = datetime(2009, 1, 1, tzinfo=UTC)


@dataclass
class Fetched:
    """What fetching one configuration brought; windows count only once their documents are loaded."""

    configuration: Configuration
    sync_id: UUID
    source: str
    counts: SyncCounts = field(default_factory=SyncCounts)
    windows: list[Window] = field(default_factory=list)
    locations: dict[str, str] = field(default_factory=dict)
    quarantined: list[Unlandable] = field(default_factory=list)
    waiting: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    landed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    news: Counter[tuple[str, str]] = field(default_factory=Counter)
    newest_change_at: datetime | None = None
    read_until: datetime | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    error: tuple[str, str] | None = None
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    is_landed: bool = False
    covered_until: datetime | None = None
    postponed_until: datetime | None = None
    sales_seen: dict[str, datetime] = field(default_factory=dict)
    lateness: Lateness = field(default_factory=Lateness)
    has_more: bool = False

    @property
    def status(self) -> str:
        """How it ended: postponed (the vendor was not asked, since it is down), failed or succeeded."""
        if self.postponed_until is not None:
            return "postponed"
        return "failed" if self.error else "succeeded"

    @property
    def lag_seconds(self) -> float | None:
        """How old the newest change was when it was read, by the vendor's clock."""
        if self.newest_change_at is None or self.read_until is None:
            return None
        return max(0.0, (self.read_until - self.newest_change_at).total_seconds())

    def add(self, earlier: "Fetched") -> None:
        """Takes along the figures of what was fetched of the same configuration before."""
        self.counts.add(earlier.counts)
        self.news.update(earlier.news)


def fetch(
    engine: Engine,
    vault: Vault,
    connector: Connector,
    fetched: Fetched,
    emit: Callable[[Batch], None],
    most: int = MOST_DOCUMENTS,
    is_newest_only: bool = False,
) -> None:
    """Reads what is missing of one configuration, the newest first, and emits what is new of it.

    Args:
        emit: takes each batch; blocks while there is too much that has not been landed.
        most: after so many documents the rest is left for another time, and `has_more` set.
        is_newest_only: what is missing further back is left for another time in any case.

    Raises:
        PosError: the vendor could not be read to the end; what was read until then stays.
    """
    started = time.monotonic()
    configuration = fetched.configuration
    if configuration.base_url != connector.base_url():
        raise ConfigurationError(
            f"{configuration.name} was connected at {configuration.base_url}, this process is set to "
            f"{connector.base_url()}; a configuration stays with the address it was made for."
        )
    keeper = StoredKeeper(engine, vault, configuration)
    with engine.connect() as connection:
        covered = ledger.covered(connection, configuration.id)
        waiting = documents.waiting_ids(connection, configuration.id)
        overlaps = lateness.overlaps(connection, configuration.id)
    fetched.covered_until = _covered_until(connector, covered)
    fetched.lateness = measure(covered, waiting)
    plan = Plan(configuration.history_from or _BEGINNING, covered, overlaps, FIRST_SLICE)
    with connector.open_http(configuration.base_url, keeper) as http:
        request = ReadRequest(configuration.id, configuration.account_id, keeper.current, http, plan, waiting)
        try:
            while not fetched.has_more:
                before = fetched.counts.documents_read
                is_read = _read_slice(engine, connector, fetched, request, emit, most)
                older = request.plan.before(fetched.counts.documents_read - before)
                is_enough = is_newest_only or fetched.counts.documents_read >= most
                fetched.has_more = not is_read or (older is not None and is_enough)
                if older is None:
                    break
                request = replace(request, plan=older, waiting={})
        finally:
            fetched.counts.calls = http.usage.calls
            fetched.counts.retries = http.usage.retries
            fetched.counts.received_bytes = http.usage.received_bytes
            fetched.seconds["fetch"] = round(time.monotonic() - started, 3)


def _read_slice(
    engine: Engine,
    connector: Connector,
    fetched: Fetched,
    request: ReadRequest,
    emit: Callable[[Batch], None],
    most: int,
) -> bool:
    """Reads one slice of time; False when it had too much and only what its windows say was read."""
    counts = fetched.counts
    for event in connector.read(request):
        if isinstance(event, WindowRead):
            _note_window(fetched, event)
            # The newest slice may read the same again every day: it gets on by what it lands alone.
            if (counts.documents_landed if request.plan.is_newest else counts.documents_read) >= most:
                return False
        else:
            for batch in take_page(engine, connector, fetched, event):
                emit(batch)
    fetched.windows.extend(
        Window(reread_name(stream), location, *interval)
        for (stream, location), interval in request.plan.reread.items()
    )
    return True


def take_page(
    engine: Engine,
    connector: Connector,
    fetched: Fetched,
    page: Page,
    keep_incomplete: bool = False,
) -> Iterable[Batch]:
    """The batch of what is new on a page; quarantined and incomplete documents are noted aside.

    Args:
        keep_incomplete: land documents that are known to be incomplete as they are.
    """
    fetched.counts.pages += 1
    fetched.counts.documents_read += len(page.documents)
    candidates = []
    for document in page.documents:
        prepared = prepare(connector, page.stream, document, page.read_at)
        key = (page.stream, prepared.content_hash, _id(prepared))
        if key in fetched.seen:
            fetched.counts.documents_skipped += 1
            continue
        fetched.seen.add(key)
        if isinstance(prepared, Unlandable):
            fetched.quarantined.append(prepared)
        else:
            candidates.append(prepared)
    if connector.stream(page.stream).holds_locations:
        located = filter(None, map(connector.locate, page.documents))
        fetched.locations.update({each.external_id: each.name for each in located})
    news = _news(engine, connector, fetched, page.stream, candidates, keep_incomplete)
    if news:
        configuration = fetched.configuration
        yield make_batch(configuration.tenant_id, configuration.id, page.stream, fetched.source, news)


def _news(
    engine: Engine,
    connector: Connector,
    fetched: Fetched,
    stream: str,
    candidates: Sequence[Landable],
    keep_incomplete: bool,
) -> list[Landable]:
    """Those of the candidates that the log does not say yet; counts all of them."""
    if not candidates:
        return []
    configuration = fetched.configuration
    ids = sorted({candidate.identity.external_id for candidate in candidates})
    unfinished = [candidate.identity.external_id for candidate in candidates if candidate.incomplete]
    with engine.connect() as connection:
        versions = documents.known_versions(connection, connector.pos_system, stream, configuration.id, ids)
        given_up = documents.given_up_ids(connection, configuration.id, stream, unfinished)
    known = {key: [Known(*version) for version in rows] for key, rows in versions.items()}
    news = []
    for candidate in candidates:
        external_id = candidate.identity.external_id
        _note_sale(connector, fetched, stream, candidate)
        if candidate.incomplete and not keep_incomplete and external_id not in given_up:
            fetched.waiting[stream][external_id] = candidate.incomplete
            continue
        fetched.waiting[stream].pop(external_id, None)
        fetched.landed[stream].append(external_id)
        before = known.get(external_id, [])
        if not is_news(candidate, before):
            fetched.counts.documents_skipped += 1
            continue
        fetched.news[stream, "changed" if before else "new"] += 1
        fetched.counts.note_landed(is_new=not before)
        fetched.lateness.note(stream, external_id, candidate.identity.updated_at)
        for path, value in candidate.unknown:
            name = f"{stream}.{path}={value[:_LONGEST_VALUE]}"
            fetched.counts.unknown_values[name] = fetched.counts.unknown_values.get(name, 0) + 1
        if stream == connector.sales_stream and candidate.identity.updated_at is not None:
            fetched.newest_change_at = max(
                candidate.identity.updated_at,
                fetched.newest_change_at or candidate.identity.updated_at,
            )
        known.setdefault(external_id, []).append(_as_known(candidate))
        news.append(candidate)
    return news


def _note_sale(connector: Connector, fetched: Fetched, stream: str, candidate: Landable) -> None:
    """Keeps what the loss meter compares: the sales that have changed since the poll before."""
    at, since = candidate.identity.updated_at, fetched.covered_until
    if stream == connector.sales_stream and at is not None and since is not None and at > since:
        fetched.sales_seen[candidate.identity.external_id] = at


def _covered_until(
    connector: Connector, covered: Mapping[tuple[str, str], Sequence[Interval]]
) -> datetime | None:
    """Up to when sales had been read before; the shop that is furthest behind counts."""
    ends = [
        max(end for _, end in intervals)
        for (stream, _), intervals in covered.items()
        if stream == connector.sales_stream and intervals
    ]
    return min(ends, default=None)


def _note_window(fetched: Fetched, event: WindowRead) -> None:
    """Takes a window; one that goes on where the location's last one ended is one with it."""
    fetched.read_until = max(event.window_to, fetched.read_until or event.window_to)
    ended = {(each.stream, each.external_location_id): at for at, each in enumerate(fetched.windows)}
    for location in event.location_ids:
        at = ended.get((event.stream, location))
        before = fetched.windows[at] if at is not None else None
        if at is not None and before is not None and before.window_to == event.window_from:
            fetched.windows[at] = replace(before, window_to=event.window_to)
            continue
        fetched.windows.append(Window(event.stream, location, event.window_from, event.window_to))
        fetched.counts.windows_read += 1


def _as_known(candidate: Landable) -> Known:
    identity = candidate.identity
    return Known(identity.version, identity.updated_at, candidate.read_at, candidate.content_hash)


def _id(prepared: Landable | Unlandable) -> str:
    if isinstance(prepared, Landable):
        return prepared.identity.external_id
    return prepared.external_id or ""
