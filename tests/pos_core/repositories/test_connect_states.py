"""A login that was begun can be ended once, by its tenant, until it expires."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from pos_core.database.connect import tenant_engine
from pos_core.repositories import connect_states
from tests.conftest import Project

MINE, THEIRS = uuid4(), uuid4()
LATER = datetime.now(UTC) + timedelta(hours=1)


def test_it_can_be_used_once(project: Project) -> None:
    state = uuid4()
    with tenant_engine(MINE).begin() as connection:
        connect_states.begin(connection, MINE, state, LATER)
        assert [connect_states.use(connection, MINE, state) for _ in range(2)] == [True, False]


def test_another_tenant_cannot_use_it(project: Project) -> None:
    state = uuid4()
    with tenant_engine(MINE).begin() as connection:
        connect_states.begin(connection, MINE, state, LATER)
    with tenant_engine(THEIRS).begin() as connection:
        assert connect_states.use(connection, THEIRS, state) is False
        assert connect_states.use(connection, MINE, state) is False
    with project.engine.begin() as connection:
        assert connect_states.use(connection, THEIRS, state) is False


def test_one_that_has_expired_is_of_no_use_and_is_forgotten(project: Project) -> None:
    old, new = uuid4(), uuid4()
    with tenant_engine(MINE).begin() as connection:
        connect_states.begin(connection, MINE, old, datetime.now(UTC) - timedelta(seconds=1))
        assert connect_states.use(connection, MINE, old) is False
        connect_states.begin(connection, MINE, new, LATER)
    assert project.rows("select id from pos_connect_states") == [{"id": new}]
