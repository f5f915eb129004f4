"""Live says that the process answers, ready that it can work; and if not, which part is missing."""

import socket

import httpx
import pytest

from pos_core.database.connect import get_engine
from pos_core.database.embedded import EmbeddedServer
from pos_core.database.migrate import migrate
from pos_core.settings import get_settings
from tests.conftest import Project
from tests.webhook_api.conftest import forget

OK = (200, {"status": "ok"})
NO_DATABASE = (503, {"status": "unavailable", "part": "database", "detail": "The database does not answer."})
MARTS = ("pos_transactions", "pos_transaction_items", "pos_transaction_payments")


def _set_up() -> None:
    """The tables and the roles; the marts are made by dbt, and empty ones will do here."""
    with get_engine().begin() as connection:
        for mart in MARTS:
            connection.exec_driver_sql(f"create table {mart} (tenant_id uuid)")
    migrate(get_engine())


def _ready(client: httpx.Client) -> tuple[int, dict[str, str]]:
    answer = client.get("/health/ready")
    return answer.status_code, answer.json()


def test_live_is_ok_and_touches_nothing(
    client: httpx.Client, settings_of_service: pytest.MonkeyPatch
) -> None:
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == OK
    assert not get_settings().home_path.exists()


def test_ready_is_ok_when_the_database_is_as_it_should_be(project: Project, client: httpx.Client) -> None:
    assert _ready(client) == OK


def test_ready_follows_the_database_up_down_and_up_again(
    own_server: EmbeddedServer, client: httpx.Client
) -> None:
    status, said = _ready(client)
    assert (status, said["part"]) == (503, "roles")
    _set_up()
    assert _ready(client) == OK
    own_server.release()
    assert _ready(client) == NO_DATABASE
    assert client.get("/health/live").status_code == 200
    own_server.acquire()
    assert _ready(client) == OK


def test_ready_says_when_the_tables_are_not_those_of_the_code(
    own_server: EmbeddedServer, client: httpx.Client
) -> None:
    _set_up()
    with get_engine().begin() as connection:
        connection.exec_driver_sql("alter table pos_audit_logs drop column origin")
    status, said = _ready(client)
    assert (status, said["part"]) == (503, "schema")
    assert "pos_audit_logs" in said["detail"]


def test_ready_is_503_when_the_database_never_answered(
    own_server: EmbeddedServer, client: httpx.Client
) -> None:
    own_server.release()
    assert _ready(client) == NO_DATABASE


def test_ready_does_not_wait_for_a_database_that_takes_long(
    client: httpx.Client, settings_of_service: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql://baker:hidden@127.0.0.1:{port}/pos?connect_timeout=3"
        settings_of_service.setenv("POS_DATABASE_URL", url)
        forget()
        assert _ready(client) == NO_DATABASE
        # The second asks nothing by itself: one look at a time.
        assert _ready(client) == NO_DATABASE
        assert client.get("/health/live").status_code == 200
        silent.accept()[0].close()
    forget()


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("POS_DATABASE_URL", "mysql://user:hidden@127.0.0.1/pos", "database"),
        ("POS_ENVIRONMENT", "production", "settings"),
    ],
)
def test_ready_is_503_when_a_setting_is_wrong(
    client: httpx.Client, settings_of_service: pytest.MonkeyPatch, name: str, value: str, part: str
) -> None:
    settings_of_service.setenv("POS_DATABASE_URL", "postgresql://user:hidden@127.0.0.1/pos")
    settings_of_service.setenv(name, value)
    forget()
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["part"]) == (503, part)
    assert "hidden" not in answer.text
    forget()
