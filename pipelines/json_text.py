"""JSON without loss: numbers stay exact, and what PostgreSQL cannot hold is found before it lands."""

import codecs
import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
import simplejson

from pos_core.errors import DocumentError

_LONGEST_INTEGER_DIGITS = 40
_LARGEST_EXPONENT = 1000
_DEEPEST_LEVEL = 100
_SHORT = 100
_LARGEST_INTEGER = 10 ** (_LARGEST_EXPONENT + 1)
_NUL_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
# Line and paragraph separators: simplejson escapes them, orjson does not, and a document has one text.
_SEPARATORS = (b"\xe2\x80\xa8", b"\xe2\x80\xa9")
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=Decimal, strict=False)


def _parse_integer(text: str) -> int | Decimal:
    # Python refuses to parse integers of thousands of digits; one such number must not fail a whole page.
    return int(text) if len(text) <= _LONGEST_INTEGER_DIGITS else Decimal(text)


def _parse_fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what even Decimal can hold
        return Decimal("Infinity")


def parse(text: str | bytes) -> Any:
    """Parses JSON; fractions become Decimal, and NaN and Infinity a Decimal that `canonical` refuses.

    What is wrong in one document must not cost the others of its page: bytes that are no UTF-8 become half
    surrogates, which `canonical` refuses, and control characters in texts are taken as they are.

    Raises:
        ValueError: the text is no JSON, or nested too deeply.
    """
    if isinstance(text, bytes):
        text = text.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    try:
        return _DECODER.decode(text)
    except (ValueError, InvalidOperation, RecursionError):
        return _parse_oddities(text)


def _parse_oddities(text: str) -> Any:
    """The same with a look at every number, which takes twice as long."""
    try:
        return simplejson.loads(
            text,
            parse_int=_parse_integer,
            parse_float=_parse_fraction,
            parse_constant=Decimal,
            allow_nan=True,
            strict=False,
        )
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def canonical(document: Any) -> str:
    """The one text of a document: keys sorted, no spaces, numbers as the vendor wrote them.

    Raises:
        DocumentError: PostgreSQL cannot hold it; the message says why.
    """
    text = _quick_text(document)
    if text is None:
        reason = _problem(document)
        if reason:
            raise DocumentError(reason)
        text = to_text(document)
    if "\\u0000" in text and _NUL_ESCAPE.search(text):
        raise DocumentError("contains a NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise DocumentError("contains half of a surrogate pair, which is no character") from None
    return text


def _quick_text(document: Any) -> str | None:
    """The canonical text of what is plain; None where somebody has to look more closely.

    Plain are all but a few: no integer beyond 64 bits, no half surrogate, not as many brackets as it takes to
    be nested too deeply. What is written is what `to_text` writes, in a fraction of the time.
    """
    try:
        encoded = orjson.dumps(document, _number, orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return None
    if encoded.count(b"{") + encoded.count(b"[") > _DEEPEST_LEVEL or any(
        map(encoded.__contains__, _SEPARATORS)
    ):
        return None
    return encoded.decode()


def _number(value: Any) -> orjson.Fragment:
    if not isinstance(value, Decimal):
        raise TypeError
    text = str(value)
    # Short and without a letter, of an exponent or a word, it is in range; others are looked at closely.
    if (len(text) > _SHORT or text.upper() != text.lower()) and _number_problem(value):
        raise TypeError
    return orjson.Fragment(text)


def to_text(document: Any) -> str:
    """Like `canonical`, but for documents that are only kept aside; may hold half surrogates."""
    text: str = simplejson.dumps(
        document,
        use_decimal=True,
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=True,
    )
    return text


def to_ascii(document: Any) -> bytes:
    """Like `to_text`, with everything beyond ASCII escaped, so that half surrogates are kept as they came."""
    text: str = simplejson.dumps(document, use_decimal=True, separators=(",", ":"), allow_nan=True)
    return text.encode("ascii")


def is_too_deep(value: Any) -> bool:
    """Whether a value is nested deeper than any document may be."""
    values = [value]
    for _ in range(_DEEPEST_LEVEL + 1):
        if not values:
            return False
        values = [
            below
            for each in values
            if isinstance(each, (dict, list))
            for below in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(values)


def cut(value: Any, levels: int = _DEEPEST_LEVEL) -> Any:
    """The value down to some levels of nesting; what lies deeper is null."""
    if isinstance(value, dict):
        return {key: cut(entry, levels - 1) for key, entry in value.items()} if levels else None
    if isinstance(value, list):
        return [cut(entry, levels - 1) for entry in value] if levels else None
    return value


def _problem(document: Any) -> str | None:
    """What PostgreSQL could not hold, found level by level, since no recursion goes as deep as JSON may."""
    values, level = [document], 0
    while values:
        if level > _DEEPEST_LEVEL:
            return f"is nested deeper than {_DEEPEST_LEVEL} levels"
        below: list[Any] = []
        for value in values:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, (Decimal, int)) and (reason := _number_problem(value)):
                return reason
        values, level = below, level + 1
    return None


def _number_problem(value: Decimal | int) -> str | None:
    if isinstance(value, int):
        return "contains a number out of range" if abs(value) >= _LARGEST_INTEGER else None
    if not value.is_finite():
        return "contains a number that is not finite"
    exponent = value.as_tuple().exponent
    if max(abs(value.adjusted()), abs(int(exponent))) > _LARGEST_EXPONENT:
        return "contains a number out of range"
    return None
