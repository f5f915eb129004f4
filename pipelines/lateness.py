"""How late changes come: those that lie where everything had been read already, and by how much.

Vendors show changes some time after the instant that they put on them. A poll reaches back by an overlap;
what comes later than that is found by the daily reading of what was read before. Both are counted here, and
the overlap of the configuration grows to what was seen.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelines.windows import Interval, merge

ON_TIME = -1
"""The bucket of changes that were in time."""
_SECOND = timedelta(seconds=1)


@dataclass
class Lateness:
    """The changes that one sync found, per stream and bucket.

    Args:
        read_before: per stream, what had been read of all locations.
        waited: (stream, external id) of documents that were held back until they were complete.
    """

    read_before: Mapping[str, Sequence[Interval]] = field(default_factory=dict)
    waited: frozenset[tuple[str, str]] = frozenset()
    changes: Counter[tuple[str, int]] = field(default_factory=Counter)

    def note(self, stream: str, external_id: str, updated_at: datetime | None) -> None:
        """Counts a change that is news.

        It was late by as much as what had been read reached beyond it: so long an overlap finds it.
        """
        if stream not in self.read_before or updated_at is None or (stream, external_id) in self.waited:
            return
        ends = (end for start, end in self.read_before[stream] if start <= updated_at < end)
        end = next(ends, None)
        self.changes[stream, ON_TIME if end is None else bucket(end - updated_at)] += 1


def bucket(late: timedelta) -> int:
    """The power of two, in seconds, that is longer."""
    return (late // _SECOND).bit_length()


def measure(
    covered: Mapping[tuple[str, str], Sequence[Interval]], waiting: Mapping[str, Sequence[str]]
) -> Lateness:
    """What lateness is measured against, by the ledger as it was before the sync."""
    locations: dict[str, list[Sequence[Interval]]] = {}
    for (stream, _), intervals in covered.items():
        locations.setdefault(stream, []).append(intervals)
    waited = frozenset((stream, each) for stream, ids in waiting.items() for each in ids)
    return Lateness({stream: list(_common(each)) for stream, each in locations.items()}, waited)


def _common(locations: Sequence[Sequence[Interval]]) -> Iterator[Interval]:
    """What has been read of every location."""
    edges = sorted(
        edge for each in locations for start, end in merge(each) for edge in ((start, 1), (end, -1))
    )
    depth, since = 0, None
    for at, step in edges:
        depth += step
        if depth == len(locations):
            since = at
        elif since is not None:
            if since < at:
                yield since, at
            since = None
