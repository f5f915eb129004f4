"""Webhooks: what the vendors tell when something changes, sent over loopback with faults on demand.

A vendor's folder says what it tells, how it signs and when it repeats. This module sends it: some of it
dropped, doubled, shuffled or delayed, as was ordered and always the same for one seed; and it keeps a
journal, so that a test can say what was acknowledged and must not be missing.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.clock import Instant
from sandbox.ids import chance, random_for

Snapshot = Mapping[str, object]
"""What can be told of, by a name of its own, and something that changes when it does."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One event.

    Args:
        account_id: whose event it is, as the vendor names accounts.
        location_id: the shop, where headers name it.
        at: when it happened.
        body: what is sent; the number of the attempt, from 1, may be in it.
    """

    event_id: str
    event_type: str
    account_id: str
    location_id: str
    at: Instant
    body: Callable[[int], bytes]


@dataclass(slots=True)
class Target:
    """Who is told.

    Args:
        url: as it is registered, and signed by some vendors.
        secret: the key of the signature, or user and password.
        account_id: tells of one account alone.
        event_types: tells of these alone.
    """

    url: str
    secret: str = field(repr=False)
    account_id: str | None = None
    event_types: frozenset[str] | None = None
    is_enabled: bool = True

    def wants(self, notice: Notice) -> bool:
        """Whether this one is told of an event."""
        is_asked = self.event_types is None or notice.event_type in self.event_types
        return self.is_enabled and is_asked and self.account_id in (None, notice.account_id)

    def describe(self) -> dict[str, Any]:
        """The target without its secret."""
        types = None if self.event_types is None else sorted(self.event_types)
        return {"url": self.url, "merchant_id": self.account_id, "event_types": types}


@dataclass(frozen=True, slots=True)
class Habits:
    """How a vendor sends.

    Args:
        headers: of an attempt, the proof of its origin among them.
        waits_seconds: between the attempts; there is one attempt more than there are waits.
        timeout_seconds: how long it waits for an answer.
        is_repeated: whether an answer, None for none at all, leads to another attempt.
    """

    headers: Callable[[Target, Notice, bytes, int], dict[str, str]]
    waits_seconds: Sequence[int]
    timeout_seconds: int
    is_repeated: Callable[[int | None], bool]


class Hooks:
    """What one vendor tells, and to whom."""

    def __init__(self, pos_system: str, habits: Habits) -> None:
        """Tells nobody yet."""
        self.pos_system = pos_system
        self.habits = habits
        self.targets: dict[str, Target] = {}
        self.outlet: Callable[[Hooks, Sequence[Notice]], None] | None = None

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens; without anybody nothing needs to be compared."""
        return self.outlet is not None and any(each.is_enabled for each in self.targets.values())

    def tell(self, notices: Sequence[Notice]) -> None:
        """Sends events, in the order in which they happened."""
        if self.outlet is not None and self.is_heard and notices:
            self.outlet(self, sorted(notices, key=lambda each: each.at))

    @contextmanager
    def watching(
        self, look: Callable[[], Snapshot], notices: Callable[[Snapshot, Snapshot], Sequence[Notice]]
    ) -> Iterator[None]:
        """Tells what changes inside the block.

        Args:
            look: at all that can be told of.
            notices: the events that lead from one look to another.
        """
        if not self.is_heard:
            yield
            return
        before = look()
        yield
        self.tell(notices(before, look()))


@dataclass(slots=True)
class Faults:
    """What goes wrong on the way.

    Args:
        drop: share of the events that are never sent.
        duplicate: share of those that are sent twice.
        is_shuffled: whether the events of one change are sent in any order.
        delay_seconds: before the first attempt.
        minute_seconds: how long a vendor's minute lasts while it waits for the next attempt.
        deliver_to: an address on loopback to which all is sent, whatever address is registered.
        connections: how many are sent at the same time; with more than one the order is lost.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    is_shuffled: bool = False
    delay_seconds: float = 0.0
    minute_seconds: float = 0.05
    deliver_to: str | None = None
    connections: int = 1


@dataclass(slots=True)
class Letter:
    """One event on its way to one target; its state is pending, dropped, acknowledged or given_up."""

    number: int
    hooks: Hooks
    target: Target
    notice: Notice
    is_duplicate: bool = False
    state: str = "pending"
    statuses: list[int | None] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """The letter as the journal has it."""
        return {
            "number": self.number,
            "pos_system": self.hooks.pos_system,
            "event_id": self.notice.event_id,
            "event_type": self.notice.event_type,
            "merchant_id": self.notice.account_id,
            "url": self.target.url,
            "is_duplicate": self.is_duplicate,
            "state": self.state,
            "statuses": list(self.statuses),
        }


class Sender:
    """Sends letters from the running event loop, one task for each, and keeps the journal."""

    def __init__(self, seed: int) -> None:
        """Knows nothing to send; the seed decides what is dropped, doubled and shuffled."""
        self.faults = Faults()
        self.letters: list[Letter] = []
        self._seed = seed
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(1)
        self._client: httpx.AsyncClient | None = None

    def set_faults(self, **changes: Any) -> None:
        """Changes what goes wrong from now on.

        Raises:
            ValueError: a share, a time, a number or an address out of range.
            TypeError: a value of the wrong kind.
        """
        for name, value in changes.items():
            if name in ("drop", "duplicate") and not 0 <= value <= 1:
                raise ValueError(f"{name} must be within 0 and 1")
            if name in ("delay_seconds", "minute_seconds") and value < 0:
                raise ValueError(f"{name} must not be below 0")
            if name == "connections" and value < 1:
                raise ValueError("connections must be 1 or more")
            if name == "deliver_to" and value is not None and not is_loopback(value):
                raise ValueError("deliver_to must be an address on loopback")
            setattr(self.faults, name, value)
        if "connections" in changes:
            self._gate = asyncio.Semaphore(self.faults.connections)

    def post(self, hooks: Hooks, notices: Sequence[Notice]) -> None:
        """Sends events to whoever wants them; must be called from the running event loop."""
        first = len(self.letters)
        outgoing: list[Letter] = []
        for notice in notices:
            for target in [each for each in hooks.targets.values() if each.wants(notice)]:
                number = len(self.letters)
                letter = Letter(number, hooks, target, notice)
                self.letters.append(letter)
                if chance(self._seed, "webhook-drop", number) < self.faults.drop:
                    letter.state = "dropped"
                    continue
                outgoing.append(letter)
                if chance(self._seed, "webhook-duplicate", number) < self.faults.duplicate:
                    again = Letter(number + 1, hooks, target, notice, is_duplicate=True)
                    self.letters.append(again)
                    outgoing.append(again)
        if self.faults.is_shuffled:
            random_for(self._seed, "webhook-shuffle", first).shuffle(outgoing)
        for letter in outgoing:
            task = asyncio.get_running_loop().create_task(self._carry(letter))
            self._tasks.add(task)

    async def settle(self, seconds: float) -> None:
        """Waits until nothing is on its way any more, but not for longer than so many seconds."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)

    async def clear(self) -> None:
        """Stops everything that is on its way, and forgets the journal and the faults."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self.letters.clear()
        self.faults = Faults()
        self._gate = asyncio.Semaphore(1)

    def journal(self) -> dict[str, Any]:
        """How many letters are in which state, and all of them."""
        counts = Counter(letter.state for letter in self.letters)
        states = ("pending", "dropped", "acknowledged", "given_up")
        return {
            "counts": {state: counts[state] for state in states},
            "events": [letter.describe() for letter in self.letters],
        }

    async def send_once(self, letter: Letter) -> int | None:
        """One attempt.

        Returns:
            The status of the answer; None when there was none in time, or the address is not on loopback.
        """
        attempt = len(letter.statuses) + 1
        target, habits = letter.target, letter.hooks.habits
        address = _redirected(target.url, self.faults.deliver_to)
        if not is_loopback(address):
            return None
        body = letter.notice.body(attempt)
        headers = {
            "content-type": "application/json",
            **habits.headers(target, letter.notice, body, attempt),
        }
        client = self._client or self._open()
        try:
            answer = await client.post(address, content=body, headers=headers, timeout=habits.timeout_seconds)
        except httpx.HTTPError:
            return None
        return answer.status_code

    async def try_once(self, hooks: Hooks, target: Target, notice: Notice) -> int | None:
        """One attempt that is in no journal and is not repeated; see ``send_once``."""
        try:
            return await self.send_once(Letter(-1, hooks, target, notice))
        finally:
            await self._close_when_idle(0)

    async def _carry(self, letter: Letter) -> None:
        """All attempts of one letter."""
        waits = iter(letter.hooks.habits.waits_seconds)
        try:
            await asyncio.sleep(self.faults.delay_seconds)
            while letter.state == "pending":
                async with self._gate:
                    status = await self.send_once(letter)
                letter.statuses.append(status)
                if status is not None and 200 <= status < 300:
                    letter.state = "acknowledged"
                    return
                wait = next(waits, None) if letter.hooks.habits.is_repeated(status) else None
                if wait is None:
                    letter.state = "given_up"
                    return
                await asyncio.sleep(wait * self.faults.minute_seconds / 60)
        finally:
            await self._close_when_idle(1)
            task = asyncio.current_task()
            if task is not None:
                self._tasks.discard(task)

    def _open(self) -> httpx.AsyncClient:
        # Only loopback is ever called, and reading all authorities takes longer than sending.
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=False)
        return self._client

    async def _close_when_idle(self, remaining: int) -> None:
        """Closes the client when nobody but the caller uses it, so that the loop may end at any time."""
        if len(self._tasks) <= remaining and self._client is not None:
            client, self._client = self._client, None
            await client.aclose()


def is_loopback(address: str) -> bool:
    """Whether an address is one of this machine alone."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError):
        return False
    if url.scheme not in ("http", "https"):
        return False
    try:
        return ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return url.host == "localhost"


def _redirected(url: str, base: str | None) -> str:
    """The registered address, or its path and query at another server."""
    if base is None:
        return url
    path = httpx.URL(url).raw_path.decode("ascii")
    return base.rstrip("/") + path
