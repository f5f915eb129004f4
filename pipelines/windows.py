"""Which intervals of time are still to be read: the ledger's coverage turned into windows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelines.connector import Stream
from pos_core.errors import ConfigurationError

Interval = tuple[datetime, datetime]
"""Half-open: [from, to), both UTC."""
REREAD_EVERY = timedelta(days=1)
FIRST_SLICE = timedelta(days=7)
_GROWTH = 4
_FEW, _MANY = 500, 4_000  # documents in a slice: the next one is longer, or shorter
_SHORTEST_SLICE = timedelta(hours=6)


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


@dataclass
class Plan:
    """What of one configuration is read next: first the newest slice of time, then the ones before it.

    Args:
        history_from: where the account's history begins.
        covered: per (stream, location id) the intervals read completely; location id '' is the account.
        overlaps: per stream, how late its changes were seen to come, where that is known.
        reach: how long a slice is; None for everything at once.
        ends: where an older slice ends; None for the newest one, which ends at the vendor's now.
    """

    history_from: datetime
    covered: Mapping[tuple[str, str], Sequence[Interval]] = field(default_factory=dict)
    overlaps: Mapping[str, timedelta] = field(default_factory=dict)
    reach: timedelta | None = None
    ends: datetime | None = None
    left_before: datetime | None = field(default=None, init=False)
    reread: dict[tuple[str, str], Interval] = field(default_factory=dict, init=False)

    @property
    def is_newest(self) -> bool:
        """Whether this is the slice that ends now."""
        return self.ends is None

    def missing(self, stream: Stream, location_id: str, until: datetime) -> list[Interval]:
        """The intervals of the slice that are to be read, in order of time.

        A covered interval counts as covered only up to the overlap before its end, since changes show up
        late; once a day it reaches back further, where the stream is read again. What is missing before the
        slice is noted in `left_before`. A stream without slices is read whole with the newest one.

        Args:
            until: the vendor's now, where that is later than any slice's end.
        """
        if not self.is_newest and not stream.is_sliced:
            return []
        known = merge(self.covered.get((stream.name, location_id), ()))
        overlap = stream.overlap
        if self.is_newest:
            overlap = max(overlap, self.overlaps.get(stream.name, overlap))
        if self._is_reread(stream, location_id, until):
            overlap = max(overlap, stream.reread)
            self.reread[stream.name, location_id] = (until - stream.reread, until)
        trusted = [(start, end - overlap) for start, end in known if start < end - overlap]
        missing = subtract((self.history_from, until), trusted)
        if not stream.is_sliced or self.reach is None:
            return missing
        end = min(until, self.ends or until)
        start = end - self.reach
        older = [(begin, min(stop, start)) for begin, stop in missing if begin < start]
        if older:
            last = older[-1][1]
            self.left_before = max(last, self.left_before or last)
        return [
            (max(begin, start), min(stop, end)) for begin, stop in missing if stop > start and begin < end
        ]

    def before(self, documents: int) -> "Plan | None":
        """The plan of the next older slice in which something is missing; None when nothing is.

        Args:
            documents: how many this slice had; after few the next one is longer, after many shorter.
        """
        if self.left_before is None or self.reach is None:
            return None
        reach = self.reach
        if documents < _FEW:
            reach *= _GROWTH
        elif documents > _MANY:
            reach = max(_SHORTEST_SLICE, reach / _GROWTH)
        return Plan(self.history_from, self.covered, self.overlaps, reach, self.left_before)

    def _is_reread(self, stream: Stream, location_id: str, until: datetime) -> bool:
        """Whether a day has gone since the stream was last read again, or since it was read at all."""
        if not stream.reread or not self.is_newest:
            return False
        ends = [end for _, end in self.covered.get((reread_name(stream.name), location_id), ())]
        return not ends or max(ends) <= until - REREAD_EVERY


def reread_name(stream: str) -> str:
    """The name under which the ledger keeps the daily readings of a stream."""
    return f"{stream}_reread"


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
