"""A POS_HOME of one's own, so that what one benchmark leaves does not weigh on the next."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pos_core.database.connect import close_database
from pos_core.settings import get_settings


@contextmanager
def own_home() -> Iterator[Path]:
    """While the block runs, this process has a new home with a server of its own; yields the folder."""
    before = os.environ.get("POS_HOME")
    close_database()
    with tempfile.TemporaryDirectory(prefix="pos-bench-", ignore_cleanup_errors=True) as folder:
        _enter(folder)
        try:
            yield Path(folder)
        finally:
            close_database()
            _enter(before)


def _enter(home: str | None) -> None:
    if home is None:
        os.environ.pop("POS_HOME", None)
    else:
        os.environ["POS_HOME"] = home
    get_settings.cache_clear()
