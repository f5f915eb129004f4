"""The loss meter: what a poll found against what webhooks had told of, and the other way round.

A vendor that has silently stopped sending shows as changes that nothing announced.
"""

from datetime import timedelta

from sqlalchemy import Connection

from pipelines.fetch import Fetched
from pos_core.repositories import webhooks

_SENT_BEFORE = timedelta(hours=1)
# What happens while a poll reads may be on neither side.
_SETTLED_AFTER = timedelta(minutes=1)


def compare(connection: Connection, fetched: Fetched) -> None:
    """Counts the changes since the poll before, by whether a webhook told of them.

    A first read of an account and a range that is read again have nothing to compare with.
    """
    since, until = fetched.covered_until, fetched.read_until
    if fetched.source != "poll" or since is None or until is None or fetched.error:
        return
    told = webhooks.announced(connection, fetched.configuration.id, since - _SENT_BEFORE)
    changed = fetched.sales_seen.keys()
    fetched.counts.changes_announced = len(changed & told.keys())
    fetched.counts.changes_unannounced = len(changed - told.keys())
    fetched.counts.changes_unpolled = sum(
        external_id not in fetched.sales_seen
        for external_id, (sent_at, outcome) in told.items()
        if outcome == "processed" and since < sent_at < until - _SETTLED_AFTER
    )
