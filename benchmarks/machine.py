"""Wall time and CPU time of a piece of work: this process, its children, and PostgreSQL's."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass
class Measured:
    """What something took; CPU seconds, where measured, are those of all processes that work on it.

    Args:
        figures: what was found besides, by name.
        budget: what was promised of it, in words; empty where nothing was.
    """

    title: str
    count: int
    unit: str
    wall_seconds: float = 0.0
    cpu_seconds: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    budget: str = ""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            name: round(value, 4) if isinstance(value, float) else value for name, value in vars(self).items()
        }


@contextmanager
def measured(
    title: str, count: int, unit: str, data: Path, others: Sequence[psutil.Process] = ()
) -> Iterator[Measured]:
    """Times the block.

    Args:
        data: PostgreSQL's data folder, by which its processes are found.
        others: processes that count with all their children, besides this one and PostgreSQL's.
    """
    result = Measured(title, count, unit)
    cpu, wall = _cpu_seconds(data, others), time.monotonic()
    yield result
    result.wall_seconds = time.monotonic() - wall
    result.cpu_seconds = _cpu_seconds(data, others) - cpu


def _cpu_seconds(data: Path, others: Sequence[psutil.Process]) -> float:
    """Of this process, of the others and of the server; children that have ended count with their parent."""
    server = psutil.Process(int((data / "postmaster.pid").read_text().splitlines()[0]))
    parents = {server, *others, *(child for each in others for child in each.children(recursive=True))}
    total = 0.0
    for process in {psutil.Process(), *parents, *server.children()}:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if process in parents:
            total += times.children_user + times.children_system
    return total
