"""Documents into raw tables, by dlt: Arrow tables, parquet files, ADBC COPY; append-only.

Each call is one dlt load with a working folder of its own, so that runs side by side share nothing. A load
counts once dlt has written its row to `_dlt_loads`; what a killed run leaves behind is never looked at.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

# dlt reads these when it is imported.
os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")
os.environ.setdefault("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")

import dlt
import pyarrow as pa
from dlt.common.pipeline import LoadInfo
from dlt.destinations import postgres
from dlt.destinations.impl.postgres.configuration import PostgresCredentials
from dlt.extract import DltResource

from pipelines.documents import Landable
from pos_core.database.address import DatabaseAddress
from pos_core.database.raw import raw_schema

_INSTANT = pa.timestamp("us", tz="UTC")
_SCHEMA = pa.schema(
    [
        pa.field("tenant_id", pa.string(), nullable=False),
        pa.field("configuration_id", pa.string(), nullable=False),
        pa.field("external_id", pa.string(), nullable=False),
        pa.field("external_version", pa.int64()),
        pa.field("external_updated_at", _INSTANT),
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("read_at", _INSTANT),
        pa.field("received_at", _INSTANT, nullable=False),
        pa.field("payload", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Batch:
    """Documents of one stream and configuration, ready to land."""

    stream: str
    table: pa.Table


def make_batch(
    tenant_id: UUID, configuration_id: UUID, stream: str, source: str, documents: Sequence[Landable]
) -> Batch:
    """The Arrow table of some documents of one stream."""
    count = len(documents)
    now = datetime.now(UTC)
    columns = [
        [str(tenant_id)] * count,
        [str(configuration_id)] * count,
        [document.identity.external_id for document in documents],
        [document.identity.version for document in documents],
        [document.identity.updated_at for document in documents],
        [document.content_hash for document in documents],
        [source] * count,
        [document.read_at for document in documents],
        [now] * count,
        [document.text for document in documents],
    ]
    return Batch(stream, pa.table(columns, schema=_SCHEMA))


def land(
    address: DatabaseAddress, pos_system: str, batches: Iterable[Batch], work_folder: Path
) -> str | None:
    """Appends the batches to the raw tables of one POS as one load.

    Args:
        batches: consumed while they are made; an exception in it ends the load with nothing landed.
        work_folder: where the run's own folder is made; folders of dead runs are removed.

    Returns:
        The id of the load, or None when there was nothing to land.
    """
    with _own_folder(work_folder) as folder:
        pipeline = dlt.pipeline(
            pipeline_name=f"land_{pos_system}",
            pipelines_dir=str(folder),
            destination=postgres(credentials=_credentials(address)),
            dataset_name=raw_schema(pos_system),
        )
        pipeline.config.restore_from_destination = False
        pipeline.extract(documents_source(pos_system, batches))
        if not pipeline.list_extracted_load_packages():
            return None
        pipeline.normalize()
        info: LoadInfo = pipeline.load(raise_on_failed_jobs=True)
        return info.loads_ids[0] if info.loads_ids else None


def documents_source(pos_system: str, batches: Iterable[Batch]) -> "dlt.sources.DltSource":
    """The dlt source of one POS; building it does no I/O, the batches are read when it is extracted."""

    def tables() -> Iterator[object]:
        known: set[str] = set()
        for batch in batches:
            if batch.stream in known:
                yield dlt.mark.with_table_name(batch.table, batch.stream)
                continue
            known.add(batch.stream)
            hints = dlt.mark.make_hints(
                table_name=batch.stream,
                columns={"payload": {"data_type": "json"}},
                file_format="parquet",
            )
            yield dlt.mark.with_hints(batch.table, hints, create_table_variant=True)

    @dlt.source(name=pos_system, max_table_nesting=0)
    def documents() -> DltResource:
        return dlt.resource(tables, name="documents", write_disposition="append", file_format="parquet")

    return documents()


def _credentials(address: DatabaseAddress) -> PostgresCredentials:
    credentials = PostgresCredentials(address.libpq())
    credentials.resolve()  # as it is: a socket needs no password, which dlt would otherwise ask for
    return credentials


@contextmanager
def _own_folder(parent: Path) -> Iterator[Path]:
    """A folder that is locked while its run lives, so that the next run can tell and remove dead ones."""
    parent.mkdir(parents=True, exist_ok=True)
    for path in parent.glob("run-*"):
        _remove_if_dead(path)
    # Locked under a name that nobody looks for: a folder without its lock would pass for a dead run's.
    new = Path(tempfile.mkdtemp(prefix="new-", dir=parent))
    with open(new / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = new.rename(parent / new.name.replace("new-", "run-", 1))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_if_dead(folder: Path) -> None:
    try:
        with open(folder / "lock", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return
