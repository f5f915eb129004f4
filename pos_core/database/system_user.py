"""Who runs the embedded PostgreSQL: this user or, as it refuses to run as root, a system user of its own."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pos_core.errors import DatabaseError

_NAME = "pgserver"


# Gives root up, then becomes the program. `subprocess` could do it by itself (`user=`), but then it forks
# with the handlers that libraries have put there, and gRPC's, in Dagster's code server, crash the child.
_BECOME = """
import os, sys
uid, gid, *command = sys.argv[1:]
os.setgroups([])
os.setgid(int(gid))
os.setuid(int(uid))
os.execv(command[0], command)
"""


@dataclass(frozen=True)
class Owner:
    """The user who runs the server and owns its files."""

    uid: int
    gid: int
    is_other: bool

    def command(self, command: Sequence[str]) -> list[str]:
        """The command line that runs another one as this user; the program is an absolute path."""
        if not self.is_other:
            return list(command)
        return [sys.executable, "-I", "-S", "-c", _BECOME, str(self.uid), str(self.gid), *command]

    def own(self, path: Path) -> None:
        """Hands a file or folder to the user; links are not followed."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def let_through(self, path: Path) -> None:
        """Lets the user pass, and no more, through the folders that lead to a path."""
        if self.is_other:
            for folder in path.parents:
                _add_mode(folder, stat.S_IXOTH)

    def prepare(self, data: Path, programs: Path) -> None:
        """Lets the user reach its data folder, which becomes its own, and the programs it runs."""
        if not self.is_other:
            return
        self.own(data)
        self.let_through(data)
        self.let_through(programs)
        for folder_name, _, file_names in os.walk(programs.parent):
            _add_mode(Path(folder_name), stat.S_IROTH | stat.S_IXOTH)
            for name in file_names:
                path = Path(folder_name, name)
                runs = path.stat().st_mode & stat.S_IXUSR
                _add_mode(path, stat.S_IROTH | (stat.S_IXOTH if runs else 0))


def find() -> Owner:
    """The user who runs the server; root makes one where there is none yet.

    Raises:
        DatabaseError: this is root and no user can be made.
    """
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid(), is_other=False)
    try:
        entry = pwd.getpwnam(_NAME)
    except KeyError:
        entry = _make()
    return Owner(entry.pw_uid, entry.pw_gid, is_other=True)


def _make() -> pwd.struct_passwd:
    program = shutil.which("useradd")
    if program is not None:
        subprocess.run([program, "--system", _NAME], check=False, capture_output=True)
    try:
        return pwd.getpwnam(_NAME)
    except KeyError:
        raise DatabaseError(
            f"PostgreSQL does not run as root and the user {_NAME} cannot be made; "
            "run as another user or set POS_DATABASE_URL."
        ) from None


def _add_mode(path: Path, wanted: int) -> None:
    mode = path.stat().st_mode
    if mode & wanted != wanted:
        path.chmod(stat.S_IMODE(mode) | wanted)
