"""The command line in processes of its own, and how a run of it ended."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil

from pos_core.settings import PROJECT_ROOT


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value that is all of standard output."""
        assert self.out.count("\n") == 1, self
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The one line that is all of standard error, without the program's name."""
        assert self.err.count("\n") == 1, self
        assert self.err.startswith("pos: "), self
        assert "Traceback" not in self.err
        return self.err.removeprefix("pos: ").strip()

    def succeeded(self) -> "Ran":
        """This, which must have ended well and quietly."""
        assert (self.code, self.err) == (0, ""), self
        return self

    def failed(self, code: int) -> str:
        """The line of this, which must have ended with that code."""
        assert self.code == code, self
        return self.line


def start_pos(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Starts a command; the variables are set on top of this process's."""
    return subprocess.Popen(
        [sys.executable, "-m", "pos_cli.main", *arguments],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Ran:
    """Waits for a command that was started."""
    out, err = process.communicate()
    return Ran(process.returncode, out, err)


def run_pos(*arguments: str, **environment: str) -> Ran:
    """Runs a command to its end."""
    return finish(start_pos(*arguments, **environment))


@contextmanager
def started(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A command that is killed when the block ends, if it is still there."""
    with start_pos(*arguments, **environment) as process:
        try:
            yield process
        finally:
            process.kill()


def processes_of(environment: Mapping[str, str]) -> list[psutil.Process]:
    """The processes that work for a POS_HOME: by their environment, or their command line."""
    home = environment["POS_HOME"]
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                continue
            belongs = process.environ().get("POS_HOME", "").startswith(home)
            if belongs or any(home in each for each in process.cmdline()):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
