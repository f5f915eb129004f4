"""Values that a vendor's lists of values did not have when this was written: kept, classed other, counted."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.connector import Document, KnownValues


def unknown_values(document: Document, known: KnownValues) -> Iterator[tuple[str, str]]:
    """Each unknown value with its path, as often as it occurs; absent and null ones are none.

    Args:
        known: by path (`tenders[].type`), the values that the models tell apart or know to be others.
    """
    for path, values in known.items():
        for value in _at(document, path.split(".")):
            if isinstance(value, str) and value not in values:
                yield path, value


def _at(value: Any, steps: list[str]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    step, *rest = steps
    found = value.get(step.removesuffix("[]")) if isinstance(value, Mapping) else None
    if step.endswith("[]"):
        for entry in found if isinstance(found, list) else ():
            yield from _at(entry, rest)
    elif found is not None:
        yield from _at(found, rest)
