"""Waits after failures: longer each time, and never all at the same moment."""

import random
from datetime import timedelta

import pytest

from pos_core.backoff import wait_after

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class _Fixed(random.Random):
    """Dice that always fall the same way."""

    def __init__(self, fallen: object) -> None:
        super().__init__()
        self._fallen = fallen

    def random(self) -> object:  # type: ignore[override]
        return self._fallen


@pytest.mark.parametrize(("failures", "asked"), [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (10**6, 60)])
def test_the_wait_doubles_up_to_the_longest_and_half_of_it_is_chance(failures: int, asked: int) -> None:
    assert wait_after(failures, MINUTE, HOUR, dice=_Fixed(0)) == timedelta(minutes=asked) / 2
    assert wait_after(failures, MINUTE, HOUR, dice=_Fixed(1)) == timedelta(minutes=asked)
    middle = wait_after(failures, MINUTE, HOUR, dice=_Fixed(0.5))
    assert middle == timedelta(minutes=asked) * 3 / 4


def test_a_greater_factor_grows_faster() -> None:
    waits = [wait_after(n, MINUTE, 24 * HOUR, factor=4, dice=_Fixed(1)) for n in range(4)]
    assert waits == [MINUTE, 4 * MINUTE, 16 * MINUTE, 64 * MINUTE]


def test_what_fails_at_once_is_not_tried_at_once() -> None:
    waits = {wait_after(3, MINUTE, HOUR) for _ in range(50)}
    assert len(waits) > 40
    assert all(4 * MINUTE <= each <= 8 * MINUTE for each in waits)


def test_an_interval_of_decades_has_its_longest_wait_too() -> None:
    assert wait_after(10**9, timedelta(seconds=2**31 - 1), HOUR, factor=4, dice=_Fixed(1)) == HOUR
