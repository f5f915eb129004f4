"""Sends requests over a few keep-alive connections, with as little work of its own as it can.

The generator shares the machine with what it measures: it writes bytes that were made before, and reads of
an answer its status and its length alone.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from benchmarks.machine import percentile
from pos_cli.supervisor import HOST

GIVE_UP_SECONDS = 2.0
"""How long an answer may take; vendors wait no longer either."""
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_CONTINUE = 100


@dataclass(frozen=True)
class Request:
    """One request, byte for byte.

    Args:
        after: what becomes of the connection: it goes on, is closed once the answer is there, or is cut, as
            by a client that has died in the middle of its request.
    """

    data: bytes = field(repr=False)
    after: Literal["go_on", "close", "cut"] = "go_on"


AnyRequest = TypeVar("AnyRequest", bound=Request)


@dataclass
class Load:
    """How requests were answered.

    Args:
        seconds: of each answer, from when its request was due.
        unanswered: how many had no answer in time, or none at all; those that were cut do not count.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    unanswered: int = 0
    wall_seconds: float = 0.0

    def milliseconds(self, share: float) -> float:
        """What this share of the answers did not take longer than."""
        return 1000 * percentile(self.seconds, share)


def send(
    port: int,
    requests: Iterable[AnyRequest],
    connections: int,
    per_second: float | None = None,
    on_answer: Callable[[AnyRequest, int | None], None] | None = None,
) -> Load:
    """Sends requests, in turn over so many connections, and waits for every answer.

    Args:
        port: on this machine.
        requests: made while they are sent.
        per_second: how many are due each second; as many as are answered where it is not given.
        on_answer: told of each with the status of its answer; None where there was none.
    """
    load = Load()
    started = time.perf_counter()
    asyncio.run(_send(port, iter(requests), connections, per_second, on_answer, load))
    load.wall_seconds = time.perf_counter() - started
    return load


async def _send(
    port: int,
    requests: Iterator[AnyRequest],
    connections: int,
    per_second: float | None,
    on_answer: Callable[[AnyRequest, int | None], None] | None,
    load: Load,
) -> None:
    began = time.perf_counter()
    numbered = enumerate(requests)

    async def work() -> None:
        line = _Line(port)
        for number, request in numbered:
            due = time.perf_counter()
            if per_second is not None:
                due = began + number / per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            status = await line.ask(request)
            if status is not None:
                load.statuses[status] += 1
                load.seconds.append(time.perf_counter() - due)
            elif request.after != "cut":
                load.unanswered += 1
            if on_answer is not None:
                on_answer(request, status)
        line.hang_up()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(work())


class _Line:
    """One connection after another to the same port, each kept as long as it can be."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: _Connection | None = None

    async def ask(self, request: Request) -> int | None:
        """The status of the answer; None when there is none in time."""
        loop = asyncio.get_running_loop()
        if self._connection is None or self._connection.is_over:
            try:
                _, self._connection = await loop.create_connection(_Connection, HOST, self._port)
            except OSError:
                return None
        status = await self._connection.ask(request)
        if request.after != "go_on":
            self._connection.hang_up()
        return status

    def hang_up(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.hang_up()


class _Connection(asyncio.Protocol):
    """One request at a time; over when the other side wants it, or did not answer in time."""

    def __init__(self) -> None:
        self.is_over = False
        self._received = bytearray()
        self._answer: asyncio.Future[int | None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    async def ask(self, request: Request) -> int | None:
        """Sends one request and waits for the status of its answer."""
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        self._received.clear()
        self._answer = loop.create_future()
        self._transport.write(request.data)
        if request.after == "cut" and self._transport.can_write_eof():
            self._transport.write_eof()
        giving_up = loop.call_later(GIVE_UP_SECONDS, self.hang_up)
        try:
            return await self._answer
        finally:
            giving_up.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_ends = self._received.find(b"\r\n\r\n")
        if head_ends < 0:
            return
        head = bytes(self._received[: head_ends + 2])
        status = int(head[9:12])
        if status == _CONTINUE:
            del self._received[: head_ends + 4]
            self.data_received(b"")
            return
        length = _LENGTH.search(head)
        # Without a length the body goes on until the connection ends; nobody reads it.
        self.is_over = self.is_over or length is None or _CLOSES.search(head) is not None
        if length is None or len(self._received) >= head_ends + 4 + int(length[1]):
            self._settle(status)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True
        self._settle(None)

    def hang_up(self) -> None:
        """Ends the connection; who waits for an answer gets none."""
        self.is_over = True
        self._settle(None)
        if self._transport is not None:
            self._transport.abort()

    def _settle(self, status: int | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)
        if self.is_over and self._transport is not None:
            self._transport.close()
