"""The engine of a process: the embedded server or the one that is named, and one line when there is none."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from pos_core.database.address import DatabaseAddress
from pos_core.database.connect import check_version, database_address, embedded_server, get_engine
from pos_core.errors import DatabaseError, DatabaseVersionError
from tests.pos_core.processes import line, python


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port that is taken, so that nobody else takes it, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("form", ["postgresql", "postgresql+psycopg", "postgresql+asyncpg"])
def test_the_named_database_is_used_and_no_server_started(
    settings_variables: pytest.MonkeyPatch, server: DatabaseAddress, tmp_path: Path, form: str
) -> None:
    settings_variables.setenv("POS_DATABASE_URL", server.libpq().replace("postgresql", form, 1))
    with get_engine().connect() as connection:
        assert connection.execute(text("select current_database()")).scalar() == server.database
    assert embedded_server() is None
    assert database_address() == server
    assert get_engine() is get_engine()
    assert not (tmp_path / "home").exists()


def test_a_database_that_is_down_is_one_line(
    settings_variables: pytest.MonkeyPatch, unused_port: int
) -> None:
    url = f"postgresql://baker:sourdough@127.0.0.1:{unused_port}/pos"
    settings_variables.setenv("POS_DATABASE_URL", url)
    with pytest.raises(
        DatabaseError, match=rf"^The database does not answer: .*{unused_port}.*refused"
    ) as caught:
        get_engine()
    assert "\n" not in caught.value.message
    assert "sourdough" not in caught.value.message
    assert caught.value.__cause__ is None


def test_a_folder_without_a_socket_is_one_line(
    settings_variables: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings_variables.setenv("POS_DATABASE_URL", f"postgresql:///pos?host={tmp_path}")
    with pytest.raises(DatabaseError, match=r"^The database does not answer: .*\.s\.PGSQL\.5432"):
        get_engine()


def test_a_database_that_is_not_there_is_one_line(
    settings_variables: pytest.MonkeyPatch, server: DatabaseAddress
) -> None:
    settings_variables.setenv("POS_DATABASE_URL", server.with_database("no_such").libpq())
    with pytest.raises(DatabaseError, match=r'^The database does not answer: .*"no_such" does not exist'):
        get_engine()


def test_a_parameter_that_is_none_is_one_line(
    settings_variables: pytest.MonkeyPatch, server: DatabaseAddress
) -> None:
    settings_variables.setenv("POS_DATABASE_URL", f"{server.libpq()}?oven=hot")
    with pytest.raises(DatabaseError, match=r'^The database does not answer: .*"oven"') as caught:
        get_engine()
    assert "\n" not in caught.value.message


def test_a_failure_is_not_remembered(
    settings_variables: pytest.MonkeyPatch, server: DatabaseAddress, database: DatabaseAddress
) -> None:
    wanted = database.with_database(f"{database.database}_later")
    settings_variables.setenv("POS_DATABASE_URL", wanted.libpq())
    with pytest.raises(DatabaseError):
        get_engine()
    admin = create_engine(server.sqlalchemy(), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {wanted.database}"))
        with get_engine().connect() as other:
            assert other.execute(text("select 1")).scalar() == 1
        connection.execute(text(f"drop database {wanted.database} with (force)"))
    admin.dispose()


@pytest.mark.parametrize("version", [90624, 150012, 159999])
def test_a_server_that_is_too_old_is_refused(version: int) -> None:
    with pytest.raises(DatabaseVersionError, match=f"^The database is PostgreSQL {version // 10000}; .*16"):
        check_version(version)


@pytest.mark.parametrize("version", [160000, 180001, 190000])
def test_a_server_that_is_new_enough_is_not(version: int) -> None:
    check_version(version)


_ASK = """
from sqlalchemy import text
from pos_core.database.connect import embedded_server, get_engine
with get_engine().connect() as connection:
    print(connection.execute(text("select current_setting('data_directory')")).scalar(), flush=True)
"""


def test_without_a_named_database_the_embedded_one_runs_until_the_process_ends(
    settings_variables: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with python(_ASK) as process:
        assert line(process) == str(tmp_path / "home" / "postgres")
        assert process.wait() == 0
    server = embedded_server()
    assert server is not None
    assert not server.is_running()


_FORK = """
import os
from sqlalchemy import text
from pos_core.database.connect import close_database, embedded_server, get_engine

def backend():
    with get_engine().connect() as connection:
        return connection.execute(text("select pg_backend_pid()")).scalar()

ours, server = backend(), embedded_server()
child = os.fork()
if child == 0:
    is_apart = backend() != ours and embedded_server() is not server
    close_database()
    os._exit(0 if is_apart else 1)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), backend() == ours, server.is_running(), flush=True)
close_database()
print(server.is_running(), backend() != ours, embedded_server().is_running(), flush=True)
close_database()
"""


def test_a_forked_child_has_a_connection_and_a_use_of_the_server_of_its_own(tmp_path: Path) -> None:
    with python(_FORK, POS_HOME=str(tmp_path / "home"), POS_DATABASE_URL="") as process:
        assert line(process) == "0 True True"
        assert line(process) == "False True True"
        assert process.wait() == 0
