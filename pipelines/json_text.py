"""JSON without loss: numbers stay exact, and what PostgreSQL cannot hold is found before it lands."""

import re
from decimal import Decimal
from typing import Any

import simplejson

from pos_core.errors import DocumentError

_LONGEST_INTEGER_DIGITS = 40
_LARGEST_EXPONENT = 1000
_NUL_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def _parse_integer(text: str) -> int | Decimal:
    # Python refuses to parse integers of thousands of digits; one such number must not fail a whole page.
    return int(text) if len(text) <= _LONGEST_INTEGER_DIGITS else Decimal(text)


def parse(text: str | bytes) -> Any:
    """Parses JSON; fractions become Decimal, and NaN and Infinity a Decimal that `canonical` refuses.

    Raises:
        ValueError: the text is no JSON, or nested too deeply.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    try:
        return simplejson.loads(
            text, use_decimal=True, parse_int=_parse_integer, parse_constant=Decimal, allow_nan=True
        )
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def canonical(document: Any) -> str:
    """The one text of a document: keys sorted, no spaces, numbers as the vendor wrote them.

    Raises:
        DocumentError: PostgreSQL cannot hold it; the message says why.
    """
    text = to_text(document)
    if _NUL_ESCAPE.search(text):
        raise DocumentError("contains a NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise DocumentError("contains half of a surrogate pair, which is no character") from None
    reason = _number_problem(document)
    if reason:
        raise DocumentError(reason)
    return text


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


def _number_problem(value: Any) -> str | None:
    if isinstance(value, dict):
        return next(filter(None, map(_number_problem, value.values())), None)
    if isinstance(value, list):
        return next(filter(None, map(_number_problem, value)), None)
    if isinstance(value, Decimal):
        if not value.is_finite():
            return "contains a number that is not finite"
        if value and abs(value.adjusted()) > _LARGEST_EXPONENT:
            return "contains a number out of range"
    return None
