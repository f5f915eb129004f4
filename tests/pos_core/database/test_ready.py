"""Whether the database is what the service expects, said by part."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from pos_core.database.connect import get_service_engine
from pos_core.database.ready import Lack, lack
from pos_core.database.roles import API_ROLE
from tests.conftest import Project


@pytest.fixture
def changing(project: Project) -> Iterator[Connection]:
    """A transaction of the owner that may take parts away; it is rolled back."""
    with project.engine.connect() as connection:
        yield connection


def _seen_by_the_service(connection: Connection) -> Lack | None:
    connection.execute(text(f"set local role {API_ROLE}"))
    return lack(connection)


def test_a_project_that_is_set_up_lacks_nothing(project: Project) -> None:
    with get_service_engine(API_ROLE).connect() as connection:
        assert lack(connection) is None


def test_columns_of_a_newer_version_are_no_lack(changing: Connection) -> None:
    changing.execute(text("alter table pos_sync_logs add column newer integer"))
    assert _seen_by_the_service(changing) is None


@pytest.mark.parametrize(
    ("statement", "part", "named"),
    [
        ("drop table pos_connect_states", "schema", "pos_connect_states"),
        ("drop table pos_transaction_items", "schema", "pos_transaction_items"),
        ("alter table pos_audit_logs drop column origin", "schema", "origin"),
        ("revoke select on pos_configurations from pos_api", "roles", "pos_configurations"),
        ("alter table pos_transactions disable row level security", "roles", "pos_transactions"),
    ],
)
def test_what_is_missing_is_named(changing: Connection, statement: str, part: str, named: str) -> None:
    changing.execute(text(statement))
    found = _seen_by_the_service(changing)
    assert found is not None
    assert found.part == part
    assert named in found.detail
