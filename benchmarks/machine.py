"""Wall time and CPU time of a piece of work: this process, its children, and PostgreSQL's."""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Figure:
    """One figure, and its budget where it has one.

    Args:
        at_least: what it has to reach.
        below: what it has to stay under.
    """

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    below: float | None = None

    @property
    def budget(self) -> str:
        """The budget in words."""
        if self.at_least is not None:
            return f"at least {self.at_least:,.10g} {self.unit}".rstrip()
        return "" if self.below is None else f"below {self.below:,.10g} {self.unit}".rstrip()

    @property
    def is_kept(self) -> bool:
        """Whether the budget is kept; what has none keeps it."""
        is_enough = self.at_least is None or self.value >= self.at_least
        return is_enough and (self.below is None or self.value < self.below)


@dataclass
class Measured:
    """What something took; CPU seconds, where measured, are those of all processes that work on it.

    Args:
        figures: what else was found, with the budgets.
    """

    title: str
    count: int
    unit: str
    wall_seconds: float = 0.0
    cpu_seconds: float | None = None
    figures: list[Figure] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        plain = {
            name: round(value, 4) if isinstance(value, float) else value for name, value in vars(self).items()
        }
        told = [{**asdict(each), "value": round(each.value, 4)} for each in self.figures]
        return {**plain, "figures": told}


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that this share of them does not exceed; not a number where there are none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


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
    cpu, wall = _all_seconds(data, others), time.monotonic()
    yield result
    result.wall_seconds = time.monotonic() - wall
    result.cpu_seconds = _all_seconds(data, others) - cpu


def server_of(data: Path) -> psutil.Process:
    """The PostgreSQL server whose data folder this is."""
    return psutil.Process(int((data / "postmaster.pid").read_text().splitlines()[0]))


def cpu_seconds(*processes: psutil.Process) -> float:
    """What processes have used, with all their children; those that have ended count with their parent."""
    family = {*processes, *(child for each in processes for child in each.children(recursive=True))}
    return sum(_own_seconds(each) for each in family)


def _all_seconds(data: Path, others: Sequence[psutil.Process]) -> float:
    """Of this process, of the others and of the server."""
    return time.process_time() + cpu_seconds(server_of(data), *others)


def _own_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
