"""What is to be done once a day, whichever configurations there are."""

from dataclasses import dataclass

from sqlalchemy import Engine

from pos_core.repositories import due_times, sync_logs


@dataclass(frozen=True)
class Done:
    """What the upkeep did.

    Args:
        open_hours: configurations whose open hours have changed.
        pruned: rows of the sync log that were removed.
    """

    open_hours: int
    pruned: int


def keep_up(engine: Engine) -> Done:
    """Learns open hours from the sales, and removes old rows of the sync log."""
    with engine.begin() as connection:
        learned = due_times.note_open_hours(connection)
    with engine.begin() as connection:
        pruned = sync_logs.prune(connection)
    return Done(learned, pruned)
