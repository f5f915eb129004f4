"""Locks: one at a time, and gone with their process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from pos_core.repositories.locks import held_configurations, held_key, held_normalising
from tests.pos_core.processes import line, python

HOLD = """
import sys
from uuid import UUID
from sqlalchemy import create_engine
from pos_core.repositories.locks import held_configurations, held_normalising
engine = create_engine(sys.argv[1])
with held_configurations(engine, [UUID(each) for each in sys.argv[2:]]) as ours, held_normalising(engine):
    print(len(ours), flush=True)
    sys.stdin.readline()
"""


def _url(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_a_configuration_is_held_once_and_the_others_are_left_out(engine: Engine) -> None:
    a, b, c = sorted(uuid4() for _ in range(3))
    with held_configurations(engine, [b, a]) as ours:
        assert ours == [a, b]
        with held_configurations(engine, [a, c, b]) as rest:
            assert rest == [c]
    with held_configurations(engine, [a, b, c]) as all_of_them:
        assert all_of_them == [a, b, c]


def test_an_id_that_is_given_twice_is_held_once(engine: Engine) -> None:
    a = uuid4()
    with held_configurations(engine, [a, a]) as ours:
        assert ours == [a]


def test_what_fails_while_it_holds_a_lock_lets_go_of_it(engine: Engine) -> None:
    a = uuid4()
    with pytest.raises(RuntimeError), held_configurations(engine, [a]):
        raise RuntimeError
    with pytest.raises(RuntimeError), held_normalising(engine):
        raise RuntimeError
    with held_configurations(engine, [a]) as ours, held_normalising(engine):
        assert ours == [a]


def test_the_locks_of_a_killed_process_are_gone(engine: Engine) -> None:
    a = uuid4()
    with python(HOLD, _url(engine), a) as process:
        assert line(process) == "1"
        with held_configurations(engine, [a]) as ours:
            assert ours == []
        process.kill()
        process.wait()
    with held_configurations(engine, [a], wait=True) as ours, held_normalising(engine):
        assert ours == [a]


@contextmanager
def _configuration(engine: Engine, a: UUID) -> Iterator[None]:
    with held_configurations(engine, [a], wait=True) as ours:
        assert ours == [a]
        yield


@contextmanager
def _normalising(engine: Engine, _a: UUID) -> Iterator[None]:
    with held_normalising(engine):
        yield


@contextmanager
def _key(engine: Engine, a: UUID) -> Iterator[None]:
    with held_key(engine, f"token:{a}"):
        yield


HOLDERS = [_configuration, _normalising, _key]


@pytest.mark.parametrize("hold", HOLDERS)
def test_who_waits_goes_on_when_the_lock_is_free(
    engine: Engine, hold: Callable[[Engine, UUID], AbstractContextManager[None]]
) -> None:
    a = uuid4()
    happened: list[str] = []

    def work() -> None:
        with hold(engine, a):
            happened.append("second")

    with hold(engine, a):
        thread = threading.Thread(target=work)
        thread.start()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            query = text(
                "select count(*) from pg_stat_activity "
                "where datname = current_database() and wait_event = 'advisory'"
            )
            while not connection.execute(query).scalar():
                pass
        happened.append("first")
    thread.join()
    assert happened == ["first", "second"]


def test_locks_of_different_kinds_and_names_do_not_meet(engine: Engine) -> None:
    a, b = uuid4(), uuid4()
    with (
        held_configurations(engine, [a], wait=True),
        held_configurations(engine, [b], wait=True),
        held_normalising(engine),
        held_key(engine, f"token:{a}"),
        held_key(engine, f"token:{b}"),
    ):
        pass


def test_many_that_want_the_same_in_another_order_all_get_them(engine: Engine) -> None:
    ids = [uuid4() for _ in range(6)]
    done: list[int] = []

    def work(turn: int) -> None:
        with held_configurations(engine, ids[turn:] + ids[:turn], wait=True) as ours:
            done.append(len(ours))

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [6] * 6


def test_a_connection_that_held_locks_goes_back_without_them(engine: Engine) -> None:
    with held_configurations(engine, [uuid4()]), held_normalising(engine), held_key(engine, "k"):
        pass
    with engine.connect() as connection:
        query = text(
            "select count(*) from pg_locks join pg_database on database = pg_database.oid "
            "where datname = current_database() and locktype = 'advisory'"
        )
        assert connection.execute(query).scalar() == 0
