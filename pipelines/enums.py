"""Values that a vendor's lists of values did not have when this was written: kept, classed other, counted."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pipelines.connector import Document, KnownValues


def unknown_values(document: Document, known: KnownValues) -> Iterator[tuple[str, str]]:
    """Each unknown value with its path, as often as it occurs; absent and null ones are none.

    Args:
        known: by path (`tenders[].type`), the values that the models tell apart or know to be others.
    """
    for path, values in known.items():
        for value in _at(document, path):
            if isinstance(value, str) and value not in values:
                yield path, value


def _at(document: Any, path: str) -> list[Any]:
    """What is found at a path, nulls included."""
    found = [document]
    for key, is_list in _steps(path):
        below: list[Any] = []
        for each in found:
            value = each.get(key) if isinstance(each, dict) else None
            if not is_list:
                below.append(value)
            elif isinstance(value, list):
                below.extend(value)
        found = below
    return found


@lru_cache(maxsize=256)
def _steps(path: str) -> tuple[tuple[str, bool], ...]:
    return tuple((step.removesuffix("[]"), step.endswith("[]")) for step in path.split("."))
