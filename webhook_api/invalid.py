"""What is wrong with a request, told without repeating any of it: what was sent may be a secret."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

_MOST = 20
_PLACES = ("body", "query", "path", "header", "cookie")
_PIECE = 8
_SHORTEST = 4
_LONGEST_SENT = 20_000


def described(found: Sequence[Any], document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The first of the errors that validation found, for the answer.

    Args:
        found: as pydantic lists them.
        document: the application's OpenAPI; of where something is wrong, only names in it are told.
    """
    known = _names(_Identity(document))
    return [
        {
            "where": [part for part in each["loc"] if isinstance(part, int) or part in known],
            "what": _message(each),
        }
        for each in found[:_MOST]
    ]


def _message(error: Mapping[str, Any]) -> str:
    """Pydantic's message, unless a piece of what was sent is in it."""
    message, sent = str(error["msg"]), str(error.get("input", ""))[:_LONGEST_SENT]
    if len(sent) < _PIECE:
        repeats = len(sent) >= _SHORTEST and sent in message
    else:
        repeats = any(message[at : at + _PIECE] in sent for at in range(len(message) - _PIECE + 1))
    return "The value is not valid" if repeats else message


class _Identity:
    """A document by which object it is."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self.document is other.document

    def __hash__(self) -> int:
        return id(self.document)


@lru_cache(maxsize=4)
def _names(identity: _Identity) -> frozenset[str]:
    return frozenset([*_PLACES, *_named(identity.document)])


def _named(node: Any) -> Iterator[str]:
    """The names of parameters and of the properties of bodies."""
    if isinstance(node, list):
        for each in node:
            yield from _named(each)
    elif isinstance(node, dict):
        if "in" in node and isinstance(node.get("name"), str):
            yield node["name"]
        if isinstance(properties := node.get("properties"), dict):
            yield from properties
        for each in node.values():
            yield from _named(each)
