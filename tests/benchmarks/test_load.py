"""The load generator counts every answer, gives up on what does not come, and keeps its pace."""

import threading
from collections.abc import Iterator

import httpx
import pytest

from benchmarks import load
from benchmarks.deliveries import written
from benchmarks.load import Request, send
from tests.pipelines.scripted import Reply, ScriptedVendor, scripted


@pytest.fixture
def receiver() -> Iterator[ScriptedVendor]:
    """Who is sent to."""
    with scripted() as found:
        yield found


def _port(receiver: ScriptedVendor) -> int:
    port = httpx.URL(receiver.url).port
    assert port is not None
    return port


def _request(body: bytes = b"{}") -> Request:
    return Request(written("POST", b"/hooks", [(b"x-number", b"1")], body))


def test_every_request_is_sent_once_and_every_answer_is_counted(receiver: ScriptedVendor) -> None:
    receiver.replies = [Reply(200), Reply(401), Reply(503), Reply(200)]
    bodies = [b"%d" % number for number in range(10)]
    statuses: list[int | None] = []
    found = send(
        _port(receiver),
        [_request(each) for each in bodies],
        connections=3,
        on_answer=lambda _, status: statuses.append(status),
    )
    assert found.statuses == {200: 8, 401: 1, 503: 1}
    assert sorted(filter(None, statuses)) == [200] * 8 + [401, 503]
    assert (len(found.seconds), found.unanswered) == (10, 0)
    assert sorted(each.body for each in receiver.requests) == bodies
    assert {each.path for each in receiver.requests} == {"/hooks"}


def test_an_answer_that_does_not_come_is_given_up_and_the_others_go_on(
    receiver: ScriptedVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "GIVE_UP_SECONDS", 0.2)
    never = threading.Event()
    receiver.replies = [Reply(waits_for=never), Reply(200)]
    found = send(_port(receiver), [_request() for _ in range(3)], connections=1)
    never.set()
    assert (found.statuses, found.unanswered) == ({200: 2}, 1)


def test_what_is_cut_on_purpose_is_no_missing_answer(
    receiver: ScriptedVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "GIVE_UP_SECONDS", 0.2)
    never = threading.Event()
    receiver.replies = [Reply(waits_for=never), Reply(200)]
    whole = _request(b"x" * 100)
    found = send(_port(receiver), [Request(whole.data[:-50], "cut"), whole], connections=1)
    never.set()
    assert (found.statuses, found.unanswered) == ({200: 1}, 0)


def test_nobody_there_is_no_answer() -> None:
    with scripted() as gone:
        port = _port(gone)
    assert send(port, [_request()], connections=1).unanswered == 1


def test_requests_are_sent_when_they_are_due(receiver: ScriptedVendor) -> None:
    found = send(_port(receiver), [_request() for _ in range(6)], connections=2, per_second=50)
    assert found.statuses == {200: 6}
    assert found.wall_seconds >= 5 / 50
