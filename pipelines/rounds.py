"""Sync and normalise, round after round: what has just happened first, then history, bounded parts of it.

No tenant waits for another's history: a round takes a bounded number of documents of each configuration, and
its rows are in the marts before the next one begins. Between rounds the configurations are free for others.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from pipelines.fetch import MOST_DOCUMENTS
from pipelines.normalise import Normalised, normalise
from pipelines.sync import Context, Outcome, Report, sync
from pipelines.timing import note_normalising

logger = logging.getLogger(__name__)

_MOST_OF_HISTORY = 20_000
"""Documents of one configuration in each round after the first: enough that a load costs little of it."""


@dataclass(frozen=True)
class Round:
    """What one round did, and what normalising made of it."""

    report: Report
    normalised: Normalised


def together(rounds: Sequence[Round]) -> Round:
    """Several rounds as one: the last outcome of each configuration, the figures of all."""
    report, normalised = Report(), Normalised(touched={})
    for each in rounds:
        report = report.then(each.report)
        normalised.add(each.normalised)
    return Round(report, normalised)


def sync_rounds(
    context: Context,
    dbt_folder: Path,
    ids: Sequence[UUID],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    run_id: str | None = None,
    wait: bool = False,
    is_scheduled: bool = False,
    budget_seconds: float | None = None,
) -> Iterator[Round]:
    """Reads what is missing of the configurations and brings the marts up to date, until nothing is left.

    Args:
        dbt_folder: as `normalise` takes it.
        since: read again from this instant on, as `sync` takes it; `is_scheduled` too.
        budget_seconds: begin no other round after so long; what is left is due at once.

    Yields:
        Each round when its rows are in the marts.

    Raises:
        ConfigurationError: an id is unknown, or the range has no beginning or no length.
        TransformError: the models do not build or run.
    """
    end_seconds = None if budget_seconds is None else time.monotonic() + budget_seconds
    left, goes_on, most = list(ids), False, MOST_DOCUMENTS
    while True:
        report = sync(
            context,
            left,
            since=since,
            until=until,
            run_id=run_id,
            wait=wait,
            goes_on=goes_on,
            most=most,
            is_scheduled=is_scheduled,
        )
        normalised = normalise(context.engine, context.address, dbt_folder)
        note_normalising(context, report, normalised)
        yield Round(report, normalised)
        left = [each.configuration.id for each in report.outcomes if _has_more(each)]
        if not left or (end_seconds is not None and time.monotonic() >= end_seconds):
            return
        goes_on, most = True, _MOST_OF_HISTORY


def _has_more(outcome: Outcome) -> bool:
    fetched = outcome.fetched
    if outcome.status != "succeeded" or fetched is None or not fetched.has_more:
        return False
    logger.info(
        "%s: %d documents read, %d of them new or changed; more is left",
        outcome.configuration.name,
        fetched.counts.documents_read,
        fetched.counts.documents_landed,
    )
    return True
