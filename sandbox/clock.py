"""The sandbox's own time.

An instant is an ``int``: milliseconds since 1970 in UTC. Integers compare and add exactly and are
what the search indexes are sorted by; text is made at the edge.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import formatdate
from typing import TypeAlias

Instant: TypeAlias = int

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Later than the change to summer time in the United States (8 March) and a fortnight after Europe's
# (29 March), so that four weeks of European sales contain the change.
WORLD_END: Instant = int(datetime(2026, 4, 12, 18, tzinfo=UTC).timestamp()) * SECOND


def instant_of(moment: datetime) -> Instant:
    """The instant of an aware datetime, cut down to the millisecond."""
    return int(moment.timestamp()) * SECOND + moment.microsecond // 1_000


def moment_of(instant: Instant) -> datetime:
    """The aware UTC datetime of an instant."""
    whole, fraction = divmod(instant, SECOND)
    return datetime.fromtimestamp(whole, UTC).replace(microsecond=fraction * 1_000)


def parse_instant(text: str) -> Instant:
    """Reads an RFC 3339 time.

    Raises:
        ValueError: the text is no time, or has no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time without an offset: {text!r}")
    return instant_of(moment)


def format_instant(instant: Instant, *, is_trimmed: bool = False) -> str:
    """Writes an RFC 3339 time in UTC.

    Args:
        instant: what to write.
        is_trimmed: drop zeros at the end of the fraction, and the fraction when it is 0.
    """
    whole, fraction = divmod(instant, SECOND)
    text = datetime.fromtimestamp(whole, UTC).isoformat()[:19]
    digits = f"{fraction:03d}"
    if is_trimmed:
        digits = digits.rstrip("0")
    return f"{text}.{digits}Z" if digits else f"{text}Z"


class Clock:
    """Time that stands still at the world's end, or runs on from there at real pace."""

    def __init__(
        self,
        start_at: Instant = WORLD_END,
        *,
        is_ticking: bool = False,
        anchor_seconds: float | None = None,
    ) -> None:
        """Sets the clock.

        Args:
            start_at: what it shows first.
            is_ticking: whether real time moves it.
            anchor_seconds: real time (Unix seconds) at which a ticking clock showed ``start_at``;
                now unless given. A kept anchor lets a restarted sandbox run on without going back.
        """
        self._base = start_at
        self._is_ticking = is_ticking
        self._anchor_seconds = time.time() if anchor_seconds is None else anchor_seconds

    @property
    def is_ticking(self) -> bool:
        """Whether real time moves this clock."""
        return self._is_ticking

    def now(self) -> Instant:
        """What the clock shows."""
        if not self._is_ticking:
            return self._base
        return self._base + int((time.time() - self._anchor_seconds) * SECOND)

    def advance(self, milliseconds: int) -> Instant:
        """Moves the clock on and answers what it shows then.

        Raises:
            ValueError: for a step back.
        """
        if milliseconds < 0:
            raise ValueError("the clock only goes forward")
        self._base += milliseconds
        return self.now()

    def http_date(self, ahead_seconds: float = 0.0) -> str:
        """What the clock shows, or one that is so far ahead of it, as a ``Date`` header."""
        return formatdate(self.now() / SECOND + ahead_seconds, usegmt=True)
