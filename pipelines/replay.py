"""Documents from a file, landed and normalised like any other: for what a customer sent to support."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pipelines.connector import Page
from pipelines.fetch import Fetched, take_page
from pipelines.landing import land
from pipelines.registry import get_connector
from pipelines.sync import Context, record_documents
from pos_core.errors import ConfigurationError, DocumentError
from pos_core.repositories import configurations, documents, sync_logs
from pos_core.repositories.locks import held_configurations
from pos_core.repositories.sync_logs import SyncCounts


def replay(
    context: Context, configuration_id: UUID, stream: str, saved: Any, read_at: datetime | None
) -> SyncCounts:
    """Lands the documents of one stream; those of the sales stream are normalised again in any case.

    Args:
        saved: parsed JSON: one document, an array, or an answer of the vendor's.
        read_at: when the vendor gave them; None ranks them below everything that was read.

    Raises:
        ConfigurationError: the configuration or the stream is unknown.
        DocumentError: the file holds no documents.
    """
    with context.engine.connect() as connection:
        configuration = configurations.get(connection, configuration_id)
    connector = get_connector(configuration.pos_system)
    names = [each.name for each in connector.streams]
    if stream not in names:
        raise ConfigurationError(f"There is no stream {stream!r}; choose one of: {', '.join(names)}.")
    found = connector.unpack(stream, saved)
    if not found:
        raise DocumentError("The file holds no documents.")
    with held_configurations(context.engine, [configuration_id], wait=True):
        with context.engine.begin() as connection:
            [sync_id] = sync_logs.start(connection, [configuration], None, "replay")
        fetched = Fetched(configuration, sync_id, "replay")
        page = Page(stream, found, read_at)
        batches = take_page(context.engine, connector, fetched, page, keep_incomplete=True)
        try:
            land(context.address, connector.pos_system, batches, context.work_folder)
        except Exception as error:
            reason = ("landing", f"The documents could not be landed ({type(error).__name__}).")
            with context.engine.begin() as connection:
                sync_logs.finish(connection, sync_id, fetched.counts, fetched.seconds, reason)
            raise
        owner = {
            "tenant_id": configuration.tenant_id,
            "configuration_id": configuration_id,
            "pos_system": configuration.pos_system,
        }
        with context.engine.begin() as connection:
            record_documents(connection, owner, fetched)
            if stream == connector.sales_stream:
                documents.touch(connection, configuration_id, sorted(set(fetched.landed[stream])))
            sync_logs.finish(connection, sync_id, fetched.counts, fetched.seconds, None)
    return fetched.counts
