"""Leaves a vendor alone while it is down, so that its silence makes nobody wait.

When several configurations in a row get no answer and none in between gets one, the vendor's breaker opens,
for all processes: what has not been asked yet is postponed. When its time has come one configuration asks,
and the others of the run wait for what it hears: with the first answer all go on. What one account alone gets
to hear (a refusal, 429, its own 5xx) opens nothing.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC

from sqlalchemy import Engine

from pipelines.connector import Connector
from pipelines.fetch import Fetched
from pipelines.gather import Work
from pipelines.landing import Batch
from pos_core.errors import (
    PosError,
    VendorAuthError,
    VendorDownError,
    VendorFaultError,
    VendorRateLimitError,
    VendorRequestError,
    VendorUnreachableError,
)
from pos_core.repositories import breakers
from pos_core.repositories.breakers import Breaker

IN_A_ROW = 5
"""So many configurations without an answer open a breaker. A run tries some side by side anyway."""
_NO_ANSWER = (VendorUnreachableError, VendorFaultError)
_ANSWER = (VendorAuthError, VendorRequestError)


class Guard:
    """Stands before the work on each configuration of one POS in one run.

    Args:
        is_asked_for: somebody waits for these configurations: they are tried although a breaker is open,
            until this run itself has heard that the vendor does not answer.
    """

    def __init__(self, engine: Engine, connector: Connector, *, is_asked_for: bool) -> None:
        self._engine = engine
        self._connector = connector
        self._is_asked_for = is_asked_for
        self._circuits: dict[str, _Circuit] = {}
        self._lock = threading.Lock()

    def before(self, work: Work) -> Work:
        """The work, done only while the vendor answers.

        What it returns raises VendorDownError, and notes until when, where the vendor is left alone.
        """

        def guarded(fetched: Fetched, emit: Callable[[Batch], None]) -> None:
            circuit = self._circuit(fetched.configuration.base_url)
            is_probe = circuit.enter(fetched)

            def emit_answer(batch: Batch) -> None:
                circuit.has_answered()
                emit(batch)

            heard: PosError | None = None
            is_done = False
            try:
                work(fetched, emit_answer)
                is_done = True
            except PosError as error:
                heard = error
                raise
            finally:
                circuit.leave(is_done, heard, is_probe)

        return guarded

    def _circuit(self, base_url: str) -> "_Circuit":
        with self._lock:
            if base_url not in self._circuits:
                self._circuits[base_url] = _Circuit(
                    self._engine, self._connector, base_url, self._is_asked_for
                )
            return self._circuits[base_url]


class _Circuit:
    """What one run knows of one address of a vendor; the database knows what all know."""

    def __init__(self, engine: Engine, connector: Connector, base_url: str, is_asked_for: bool) -> None:
        self._engine = engine
        self._title = connector.title
        self._key = (connector.pos_system, base_url)
        self._condition = threading.Condition()
        self._is_closed = is_asked_for
        self._may_be_open = is_asked_for  # in the database, where an answer has to close it
        self._in_a_row = 0
        self._is_probing = False
        self._breaker: Breaker | None = None
        self._closed_at_seconds = 0.0  # by the monotonic clock: not asked before

    def enter(self, fetched: Fetched) -> bool:
        """Lets a configuration pass; returns whether it is the one that asks for the others.

        Raises:
            VendorDownError: the vendor is left alone; the configuration knows until when.
        """
        with self._condition:
            while self._is_probing and not self._is_closed:
                self._condition.wait()
            if not self._is_closed and time.monotonic() >= self._closed_at_seconds:
                with self._engine.begin() as connection:
                    is_ours = breakers.claim_probe(connection, *self._key)
                    found = None if is_ours else breakers.find(connection, *self._key)
                self._is_probing = is_ours
                if is_ours:
                    return True
                self._note(found)
                self._is_closed = found is None
            if self._is_closed:
                return False
            assert self._breaker is not None
            fetched.postponed_until = self._breaker.open_until
            raise VendorDownError(self._said(self._breaker))

    def has_answered(self) -> None:
        """The vendor has answered: whoever waits may ask."""
        with self._condition:
            self._in_a_row = 0
            if not self._is_closed or self._may_be_open:
                with self._engine.begin() as connection:
                    breakers.close(connection, *self._key)
            self._is_closed, self._may_be_open = True, False
            self._condition.notify_all()

    def leave(self, is_done: bool, heard: PosError | None, is_probe: bool) -> None:
        """Takes what a configuration has heard: its end, a failure, or nothing that tells of the vendor."""
        with self._condition:
            if is_probe:
                self._is_probing = False
                self._condition.notify_all()
            if (
                is_done
                or isinstance(heard, _ANSWER)
                or (is_probe and isinstance(heard, VendorRateLimitError))
            ):
                self.has_answered()
            elif isinstance(heard, _NO_ANSWER):
                self._count(heard, is_probe)
            elif is_probe and not self._is_closed:
                with self._engine.begin() as connection:
                    breakers.hand_back(connection, *self._key)

    def _count(self, heard: PosError, is_probe: bool) -> None:
        self._in_a_row += 1
        is_probe = is_probe and not self._is_closed  # one that had an answer before it failed is like others
        with self._engine.begin() as connection:
            if is_probe or (self._is_closed and self._in_a_row >= IN_A_ROW):
                found: Breaker | None = breakers.trip(
                    connection, *self._key, heard.error_class, is_probe=is_probe
                )
            elif self._is_closed:  # somebody else may have found out
                found = breakers.find(connection, *self._key)
            else:
                return
        if found is not None and found.seconds_left > 0:
            self._note(found)
            self._is_closed, self._may_be_open = False, False

    def _note(self, found: Breaker | None) -> None:
        self._breaker = found
        self._closed_at_seconds = time.monotonic() + (found.seconds_left if found else 0)

    def _said(self, breaker: Breaker) -> str:
        does = "does not answer" if breaker.error_class == VendorUnreachableError.error_class else "fails"
        return (
            f"{self._title} {does} at the moment, whichever account asks; this one has nothing to do with it "
            f"and is read again after {breaker.open_until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC."
        )
