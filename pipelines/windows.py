"""Which intervals of time are still to be read: the ledger's coverage turned into windows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pos_core.errors import ConfigurationError

Interval = tuple[datetime, datetime]
"""Half-open: [from, to), both UTC."""


@dataclass(frozen=True)
class Span:
    """What is to be read again: nothing by itself, else all from an instant on, up to another or to now.

    Raises:
        ConfigurationError: it has an end and no beginning, or ends before it begins.
    """

    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.until is not None and self.since is None:
            raise ConfigurationError("A range that has an end needs a beginning; give both.")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ConfigurationError("A range has to end after it begins.")


@dataclass(frozen=True)
class Plan:
    """What of one configuration has been read, and from when on it is wanted.

    Args:
        history_from: where the account's history begins.
        covered: per (stream, location id) the intervals read completely; location id '' is the account.
        since: read again from here on, whatever was covered (a backfill); never before the history begins.
        until: with `since`, where that ends; None: at the vendor's now.
    """

    history_from: datetime
    covered: Mapping[tuple[str, str], Sequence[Interval]] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None

    def missing(self, stream: str, location_id: str, until: datetime, overlap: timedelta) -> list[Interval]:
        """The intervals of [history_from, until) that are to be read, in order of time.

        The newest covered interval counts as covered only up to `overlap` before its end, since changes
        show up late; gaps further back are read with the same overlap on either side.
        """
        if self.since is not None:
            start, end = max(self.since, self.history_from), min(until, self.until or until)
            return [(start, end)] if start < end else []
        known = merge(self.covered.get((stream, location_id), ()))
        trusted = [(start, end - overlap) for start, end in known if start < end - overlap]
        return subtract((self.history_from, until), trusted)


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """The union of intervals, sorted, touching ones joined."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def subtract(whole: Interval, parts: Sequence[Interval]) -> list[Interval]:
    """What of `whole` no part covers; `parts` are sorted and do not overlap."""
    left: list[Interval] = []
    at, end = whole
    for start, stop in parts:
        if start >= end:
            break
        if start > at:
            left.append((at, start))
        at = max(at, stop)
    if at < end:
        left.append((at, end))
    return left


def split(interval: Interval, step: timedelta) -> list[Interval]:
    """An interval in pieces of at most `step`, in order of time."""
    start, end = interval
    pieces = []
    while start < end:
        stop = min(start + step, end)
        pieces.append((start, stop))
        start = stop
    return pieces
