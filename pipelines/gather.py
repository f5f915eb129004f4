"""Work on many configurations at once: side by side in threads, what is new of all of them in one load."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from pipelines.fetch import Fetched
from pipelines.landing import Batch, land
from pos_core.database.address import DatabaseAddress
from pos_core.errors import PosError

logger = logging.getLogger(__name__)

_QUEUED_BATCHES = 64
_ROWS_PER_TABLE = 5000
_STOP_CHECK_SECONDS = 0.2

Work = Callable[[Fetched, Callable[[Batch], None]], None]
"""Reads one configuration and hands on each batch; raises PosError when it could not be read to the end."""


def land_together(
    address: DatabaseAddress,
    folder: Path,
    workers: int,
    pos_system: str,
    running: Sequence[Fetched],
    work: Work,
) -> str | None:
    """Works on configurations of one POS and lands what comes; each keeps its own error.

    Args:
        folder: where dlt works.
        workers: how many configurations at the same time.

    Returns:
        The id of the load; None when there was nothing to land, or it could not be landed: then no
        configuration is marked as landed.
    """
    load_id, problem = None, None
    gathering = _Gathering(running, work, workers)
    try:
        with gathering:
            load_id = land(address, pos_system, gathering.batches(), folder)
    except Exception as error:
        logger.exception("landing documents of %s failed", pos_system)
        problem = ("landing", f"The documents could not be landed ({type(error).__name__}).")
    for fetched in running:
        fetched.seconds["land"] = round(time.monotonic() - gathering.read_seconds, 3)
        fetched.is_landed = problem is None
        if problem and fetched.postponed_until is None:
            fetched.error = problem
            fetched.counts.note_nothing_landed()
    return load_id


class _Gathering:
    """Works on configurations in threads; their batches come out as one bounded stream."""

    def __init__(self, running: Sequence[Fetched], work: Work, workers: int) -> None:
        self._running = running
        self._work = work
        self._queue: queue.Queue[Batch | None] = queue.Queue(_QUEUED_BATCHES)
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="fetch")
        self._futures: list[Future[None]] = []
        self.read_seconds = time.monotonic()
        """By the monotonic clock, when the last page was read; what comes after that is landing."""

    def __enter__(self) -> "_Gathering":
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
                self.read_seconds = time.monotonic()
            else:
                yield batch

    def _fetch(self, fetched: Fetched) -> None:
        try:
            self._work(fetched, self._put)
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
