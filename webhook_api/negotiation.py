"""What a client accepts and what it has already: `Accept` and `If-None-Match` (RFC 9110)."""

from collections.abc import Sequence

from fastapi import Request
from starlette.exceptions import HTTPException


def chosen_media_type(request: Request, offered: Sequence[str]) -> str:
    """The media type that the client likes best; among equals the one offered first.

    Raises:
        HTTPException: 406; it accepts none of them.
    """
    accepted = _accepted(", ".join(request.headers.getlist("accept")) or "*/*")
    weights = {each: _weight(each, accepted) for each in offered}
    best = max(offered, key=lambda each: weights[each])
    if not weights[best]:
        raise HTTPException(406, f"Accept one of: {', '.join(offered)}.")
    return best


def _accepted(header: str) -> dict[str, int]:
    """By range, its weight in thousandths; what cannot be read is left out."""
    found: dict[str, int] = {}
    for part in header.lower().split(","):
        name, *parameters = (each.strip() for each in part.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        whole, _, fraction = weight.partition(".")
        digits = whole + fraction.ljust(3, "0")
        if digits.isascii() and digits.isdigit() and len(digits) == 4:
            found[name] = int(digits)
    return found


def _weight(media_type: str, accepted: dict[str, int]) -> int:
    kind = media_type.partition("/")[0]
    ranges = (media_type, f"{kind}/*", "*/*")
    return next((accepted[each] for each in ranges if each in accepted), 0)


def has_already(request: Request, tag: str) -> bool:
    """Whether the client has the representation with this entity tag, quotes included."""
    known = [each.strip() for each in ",".join(request.headers.getlist("if-none-match")).split(",")]
    return "*" in known or tag in (each.removeprefix("W/") for each in known)
