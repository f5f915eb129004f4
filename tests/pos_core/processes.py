"""Other processes and other users, for what only they can show."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pos_core.settings import PROJECT_ROOT

_NOBODY = 65534


@contextmanager
def python(script: str, *arguments: object, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    """A Python process with pipes, killed if the test leaves it running.

    Args:
        arguments: its `sys.argv[1:]`.
        variables: added to its environment.
    """
    with subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT_ROOT,
        env={**os.environ, **variables},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: "subprocess.Popen[str]") -> str:
    """The next line that the process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: "subprocess.Popen[str]") -> None:
    """Gives the process the line that it waits for."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def together(script: str, count: int, *arguments: object, **variables: str) -> list[str]:
    """What processes print that run a script at the same moment.

    Args:
        script: prints a line when it is ready, waits for one, does its work and prints what came of it.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(python(script, *arguments, **variables)) for _ in range(count)]
        assert [line(process) for process in processes] == ["ready"] * count
        for process in processes:
            tell(process)
        answers = [line(process) for process in processes]
        assert [process.wait() for process in processes] == [0] * count
        return answers


@contextmanager
def without_root() -> Iterator[None]:
    """This process as an ordinary user, where it is root, for whom no file is closed."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(_NOBODY, _NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
