"""Figures, their budgets, and the percentiles that they are made of."""

import json
import math

import pytest

from benchmarks.machine import Figure, Measured, percentile


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_one_of_the_values(share: float, expected: int) -> None:
    assert percentile(range(100, 0, -1), share) == expected


def test_without_values_there_is_no_percentile() -> None:
    assert math.isnan(percentile([], 0.5))


@pytest.mark.parametrize(
    ("figure", "budget", "is_kept"),
    [
        (Figure("a", 1_200, at_least=1_200), "at least 1,200", True),
        (Figure("a", 1_199.9, at_least=1_200), "at least 1,200", False),
        (Figure("a", 49.9, "ms", below=50), "below 50 ms", True),
        (Figure("a", 50, "ms", below=50), "below 50 ms", False),
        (Figure("a", math.nan, "ms", below=50), "below 50 ms", False),
        (Figure("a", 7), "", True),
    ],
)
def test_a_budget_is_kept_or_not(figure: Figure, budget: str, is_kept: bool) -> None:
    assert (figure.budget, figure.is_kept) == (budget, is_kept)


def test_what_was_measured_is_json_with_its_budgets() -> None:
    row = Measured("it", 2, "times", 1.23456, figures=[Figure("p99", 12.345678, "ms", below=50)])
    told = json.loads(json.dumps(row.as_dict()))
    assert (told["wall_seconds"], told["cpu_seconds"]) == (1.2346, None)
    assert told["figures"] == [{"name": "p99", "value": 12.3457, "unit": "ms", "at_least": None, "below": 50}]
