"""Asking vendors while somebody waits: not for long, and never so many at once that others wait with them."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from pipelines.http import hurried
from pos_core.errors import BusyError

PATIENCE_SECONDS = 15.0
"""How long somebody who waits is kept waiting for a vendor."""

_MOST_AT_ONCE, _MOST_OF_A_TENANT = 16, 4
_asking: Counter[UUID] = Counter()
_lock = threading.Lock()


@contextmanager
def asking_vendor(tenant_id: UUID) -> Iterator[None]:
    """A hurried call of a vendor for a tenant.

    A vendor that hangs holds a thread and perhaps a connection; other tenants have to find some left.

    Raises:
        BusyError: as many as may are asking already, of this tenant or in all.
    """
    with _lock:
        if _asking[tenant_id] >= _MOST_OF_A_TENANT or _asking.total() >= _MOST_AT_ONCE:
            raise BusyError("Too many answers of vendors are being waited for; try again in a moment.")
        _asking[tenant_id] += 1
    try:
        with hurried(PATIENCE_SECONDS):
            yield
    finally:
        with _lock:
            _asking[tenant_id] -= 1
            if not _asking[tenant_id]:
                del _asking[tenant_id]
