"""The tree that the docstring draws is the tree of classes."""

import inspect
import re

import pos_core.errors
from pos_core.errors import PosError

_BRANCH = re.compile(r"^(?P<indent>[│ ├└─]*)(?P<name>\w+Error)\b.*?(?:exit (?P<exit>\d+))?$")


def _drawn() -> dict[str, tuple[str | None, int | None]]:
    """Per class its parent and its exit code, as drawn."""
    drawn: dict[str, tuple[str | None, int | None]] = {}
    path: list[str] = []
    for each in (pos_core.errors.__doc__ or "").splitlines():
        found = _BRANCH.match(each)
        if found:
            depth = len(found["indent"]) // 4
            path = [*path[:depth], found["name"]]
            drawn[found["name"]] = (
                path[depth - 1] if depth else None,
                int(found["exit"]) if found["exit"] else None,
            )
    return drawn


def _classes() -> dict[str, type[PosError]]:
    return {
        name: each
        for name, each in inspect.getmembers(pos_core.errors, inspect.isclass)
        if issubclass(each, PosError)
    }


def test_every_class_is_drawn_below_its_parent() -> None:
    real = {
        name: each.__base__.__name__ if each is not PosError and each.__base__ else None
        for name, each in _classes().items()
    }
    assert {name: parent for name, (parent, _) in _drawn().items()} == real


def test_the_exit_codes_are_those_drawn_and_children_have_their_parents() -> None:
    classes = _classes()
    for name, (parent, code) in _drawn().items():
        if code is None:
            code = classes[parent].exit_code if parent else 1
        assert classes[name].exit_code == code, name


def test_every_class_says_what_it_means_and_errors_carry_their_message() -> None:
    for each in _classes().values():
        assert each.__doc__
        error = each("The oven is cold; light it.")
        assert error.message == str(error) == "The oven is cold; light it."
