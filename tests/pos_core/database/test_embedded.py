"""The embedded server: shared by processes, stopped by the last, one clear line for what is in its way."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from pos_core.database import system_user
from pos_core.database.embedded import EmbeddedServer
from pos_core.errors import DatabaseError, DatabaseVersionError
from tests.pos_core.processes import line, python, tell, without_root

USE = """
import sys
from pathlib import Path
from pos_core.database.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
print(server.acquire().host, flush=True)
sys.stdin.readline()
server.release()
print("released", flush=True)
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A POS_HOME with a data folder; its name has what names of folders can have."""
    with tempfile.TemporaryDirectory(prefix="the baker's home, größer ") as folder:
        server = EmbeddedServer(Path(folder))
        server.acquire()
        server.release()
        yield Path(folder)


@pytest.fixture
def home(made: Path) -> Iterator[Path]:
    """The same home; no server runs before the test nor, whatever went wrong in it, after it."""
    yield made
    _make_stop(made)


@pytest.fixture
def new_home() -> Iterator[Path]:
    """A home with nothing in it."""
    with tempfile.TemporaryDirectory(prefix="pos-test-") as folder:
        yield Path(folder)
        _make_stop(Path(folder))


def _make_stop(home: Path) -> None:
    pid_file = home / "postgres" / "postmaster.pid"
    if EmbeddedServer(home).is_running():
        process = psutil.Process(int(pid_file.read_text().splitlines()[0]))
        process.send_signal(signal.SIGINT)
        process.wait()
    with suppress(OSError):
        pid_file.unlink()
    EmbeddedServer(home).keep_running(False)


def _answers(server: EmbeddedServer) -> bool:
    with psycopg.connect(server.address.libpq()) as connection:
        return connection.execute("select 1").fetchone() == (1,)


def test_it_starts_answers_and_stops(home: Path) -> None:
    server = EmbeddedServer(home)
    assert not server.is_running()
    address = server.acquire()
    assert server.is_running()
    with psycopg.connect(address.libpq()) as connection:
        assert connection.info.server_version // 10000 == 18
        shown = connection.execute("select current_database(), current_setting('listen_addresses')")
        assert shown.fetchone() == ("pos", "")
    folder = Path(address.host)
    assert folder.stat().st_mode & 0o777 == 0o700
    server.release()
    assert not server.is_running()
    assert not folder.exists()


def test_to_acquire_or_release_twice_is_to_do_it_once(home: Path) -> None:
    server = EmbeddedServer(home)
    assert server.acquire() == server.acquire()
    server.release()
    assert not server.is_running()
    server.release()


def test_what_was_written_is_there_after_a_restart(home: Path) -> None:
    server = EmbeddedServer(home)
    with psycopg.connect(server.acquire().libpq()) as connection:
        connection.execute("create table bread (name text)")
        connection.execute("insert into bread values ('rye')")
    server.release()
    with psycopg.connect(server.acquire().libpq()) as connection:
        assert connection.execute("select name from bread").fetchall() == [("rye",)]
        connection.execute("drop table bread")
    server.release()


def test_processes_share_it_and_the_last_one_stops_it(home: Path) -> None:
    with python(USE, home) as first, python(USE, home) as second:
        assert line(first) == line(second) == EmbeddedServer(home).address.host
        for process, runs_on in ((first, True), (second, False)):
            tell(process)
            assert line(process) == "released"
            assert EmbeddedServer(home).is_running() is runs_on


def test_a_process_with_another_folder_for_temporary_files_finds_it(home: Path, tmp_path: Path) -> None:
    server = EmbeddedServer(home)
    address = server.acquire()
    with python(USE, home, TMPDIR=str(tmp_path)) as other:
        assert line(other) == address.host
    server.release()
    assert not server.is_running()


@pytest.mark.parametrize("name", ["my temporary files", "long" * 25], ids=["spaces", "long"])
def test_the_folder_for_temporary_files_may_have_any_name(home: Path, name: str) -> None:
    with tempfile.TemporaryDirectory() as parent:
        (Path(parent) / name).mkdir()
        with python(USE, home, TMPDIR=str(Path(parent) / name)) as process:
            assert line(process) == str(EmbeddedServer(home).socket_folder)
            assert _answers(EmbeddedServer(home))
            tell(process)
            assert line(process) == "released"


def test_a_killed_user_leaves_nothing_to_clean_up(home: Path) -> None:
    with python(USE, home) as process:
        line(process)
        process.kill()
        process.wait()
    server = EmbeddedServer(home)
    assert server.is_running()
    server.acquire()
    assert _answers(server)
    server.release()
    assert not server.is_running()


def test_it_stays_when_asked_to_until_asked_otherwise(home: Path) -> None:
    server = EmbeddedServer(home)
    server.acquire()
    server.keep_running(True)
    server.release()
    assert server.is_running()
    server.acquire()
    server.keep_running(False)
    server.release()
    assert not server.is_running()


FORK = """
import os, sys
from pathlib import Path
from pos_core.database.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
server.acquire()
child = os.fork()
if child == 0:
    server.release()
    os._exit(0)
os.waitpid(child, 0)
print(server.is_running(), flush=True)
server.release()
print(server.is_running(), flush=True)
"""


def test_a_forked_child_does_not_stop_it_under_its_parent(home: Path) -> None:
    with python(FORK, home) as process:
        assert [line(process), line(process)] == ["True", "False"]


def test_a_killed_server_is_started_again(home: Path) -> None:
    server = EmbeddedServer(home)
    server.acquire()
    postmaster = psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0]))
    backends = postmaster.children()
    postmaster.kill()
    psutil.wait_procs([postmaster, *backends])
    assert not server.is_running()
    second = EmbeddedServer(home)
    second.acquire()
    assert _answers(second)
    server.release()
    second.release()
    assert not server.is_running()


def test_the_number_of_a_dead_server_may_be_another_processs_by_now(home: Path) -> None:
    owner = system_user.find()
    with subprocess.Popen(owner.command(["/bin/sleep", "1000"])) as other:
        try:
            pid_file = home / "postgres" / "postmaster.pid"
            pid_file.write_text(f"{other.pid}\n{home / 'postgres'}\n1\n5432\n/tmp\n\n1 1\nready\n")
            owner.own(pid_file)
            server = EmbeddedServer(home)
            assert not server.is_running()
            server.acquire()
            assert _answers(server)
            server.release()
        finally:
            other.kill()


def test_a_server_that_is_just_stopping_is_awaited_and_started_again(home: Path) -> None:
    first = EmbeddedServer(home)
    client = psycopg.connect(first.acquire().libpq())
    pid_file = home / "postgres" / "postmaster.pid"
    os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGTERM)  # it waits for its clients to go
    while pid_file.read_text().splitlines()[7].strip() != "stopping":
        pass
    second = EmbeddedServer(home)
    starting = threading.Thread(target=second.acquire)
    starting.start()
    client.close()
    starting.join()
    assert _answers(second)
    first.release()
    second.release()


def test_what_a_killed_first_start_left_is_made_anew(new_home: Path) -> None:
    for name in ("postgres.new", "postgres.new-abc"):
        (new_home / name).mkdir()
        (new_home / name / "PG_VERSION").write_text("18")
    (new_home / "postgres").mkdir()
    server = EmbeddedServer(new_home)
    server.acquire()
    assert _answers(server)
    server.release()
    assert list(new_home.glob("postgres.new*")) == []


def test_processes_that_start_it_first_at_the_same_moment_share_it(new_home: Path) -> None:
    with python(USE, new_home) as first, python(USE, new_home) as second:
        assert line(first) == line(second) != ""
        for process in (first, second):
            tell(process)
        assert {line(first), line(second)} == {"released"}
    assert not EmbeddedServer(new_home).is_running()


def test_a_data_folder_of_another_version_is_refused_and_left_alone(new_home: Path) -> None:
    data = new_home / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(DatabaseVersionError, match=r"was made by PostgreSQL 16, this needs 18; move it away"):
        EmbeddedServer(new_home).acquire()
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_folder_that_is_no_data_folder_is_refused_and_left_alone(new_home: Path) -> None:
    data = new_home / "postgres"
    data.mkdir()
    (data / "recipes.txt").write_text("flour, water, salt")
    with pytest.raises(DatabaseError, match=r"is not a PostgreSQL data folder; move it away"):
        EmbeddedServer(new_home).acquire()
    assert (data / "recipes.txt").read_text() == "flour, water, salt"


def test_a_file_in_place_of_the_data_folder_is_refused(new_home: Path) -> None:
    (new_home / "postgres").write_text("flour")
    with pytest.raises(DatabaseError, match=r"is not a PostgreSQL data folder; move it away"):
        EmbeddedServer(new_home).acquire()


def test_a_file_in_place_of_another_of_its_folders_is_named(new_home: Path) -> None:
    (new_home / "logs").write_text("flour")
    with pytest.raises(DatabaseError, match=r"cannot use .*logs \(File exists\); set another POS_HOME\.$"):
        EmbeddedServer(new_home).acquire()


def test_a_refused_start_leaves_no_user_behind(new_home: Path) -> None:
    (new_home / "postgres").write_text("flour")
    server = EmbeddedServer(new_home)
    with pytest.raises(DatabaseError):
        server.acquire()
    (new_home / "postgres").unlink()
    server.acquire()
    assert _answers(server)
    server.release()
    assert not server.is_running()


def test_a_server_that_cannot_start_names_its_log(new_home: Path, made: Path) -> None:
    data = new_home / "postgres"
    shutil.copytree(made / "postgres", data)
    owner = system_user.find()
    for path in (data, *data.rglob("*")):
        owner.own(path)
    (data / "postgresql.conf").write_text("no such setting")
    server = EmbeddedServer(new_home)
    with pytest.raises(DatabaseError, match=r"did not start; see .*postgres\.log\.$"):
        server.acquire()
    assert "syntax error" in server.log.read_text()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_others_put_in_place_of_the_socket_folder_is_not_used(home: Path, kind: str) -> None:
    server = EmbeddedServer(home)
    with tempfile.TemporaryDirectory() as elsewhere:
        folder = server.socket_folder
        if kind == "link":
            folder.symlink_to(elsewhere)
        else:
            folder.touch()
        before = os.stat(elsewhere)
        try:
            with pytest.raises(DatabaseError, match=str(folder)):
                server.acquire()
        finally:
            folder.unlink()
        assert os.stat(elsewhere).st_uid == before.st_uid
        assert os.listdir(elsewhere) == []


def test_data_of_another_user_is_refused(new_home: Path) -> None:
    (new_home / "postgres").symlink_to("/usr")  # root's
    new_home.chmod(0o777)
    with without_root(), pytest.raises(DatabaseError, match="belongs to another user; run as that user"):
        EmbeddedServer(new_home).acquire()
