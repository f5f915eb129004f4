"""How long to wait before something that failed is tried again: longer each time, and not all at once."""

import random
from datetime import timedelta

_MOST_STEPS = 40  # beyond any longest wait, and still small numbers

DICE = random.Random()


def wait_after(
    failures: int,
    first: timedelta,
    longest: timedelta,
    factor: int = 2,
    dice: random.Random | None = None,
) -> timedelta:
    """The wait after some failures in a row: between half of what they ask for and all of it.

    Half of it is left to chance, so that what failed at the same moment is not tried at the same moment.

    Args:
        failures: how many there were before this one; 0 asks for the first wait.
        first: what one failure asks for.
        longest: what any number of failures asks for at most.
        factor: how much more each further failure asks for.
        dice: where chance comes from; None is this process's own.
    """
    asked_seconds = int(first.total_seconds()) * factor ** min(failures, _MOST_STEPS)
    whole = min(asked_seconds, int(longest.total_seconds()))
    return timedelta(seconds=whole / 2 + (dice or DICE).random() * whole / 2)
