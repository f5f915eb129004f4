"""The vendor's refusals: each service has a body of its own.

Source: K-Series Financial API V2 and V1 (OpenAPI 1.0.0, read in 2026-11); live answers of V1, the
gateway and the token service.
"""

from __future__ import annotations

from sandbox.clock import Instant, format_instant
from sandbox.ids import stable_uuid
from sandbox.lightspeed.names import Json

_PHRASES = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests",
            500: "Internal Server Error", 503: "Service Unavailable"}  # fmt: skip
UNAUTHORIZED: Json = {
    "errors": [{"code": "unauthorized", "title": "Full authentication is required to access this resource"}]
}


class VendorError(Exception):
    """A refusal: HTTP status and body."""

    def __init__(self, status: int, body: Json) -> None:
        """Makes a refusal."""
        super().__init__(f"{status}")
        self.status = status
        self.body = body


def _stamp(now: Instant) -> str:
    return format_instant(now).replace("Z", "+0000")


def plain(text: str) -> VendorError:
    """A 400 of the newer financial service."""
    return VendorError(400, {"error": text})


def spring(status: int, message: str, path: str, now: Instant) -> VendorError:
    """A refusal of the older financial service."""
    body: Json = {"timestamp": _stamp(now), "status": status, "error": _PHRASES[status], "message": message,
                  "path": path}  # fmt: skip
    return VendorError(status, body)


def grant(status: int, code: str, text: str) -> VendorError:
    """A refusal of the token service."""
    return VendorError(status, {"error": code, "error_description": text})


def unauthorized() -> VendorError:
    """The gateway's refusal of a token."""
    return VendorError(401, UNAUTHORIZED)


def body_for_status(status: int, now: Instant) -> Json:
    """The body of a refusal that is known by its status alone."""
    text = f"The sandbox answers {status} on demand"
    if status == 400:
        return plain(text).body
    if status == 401:
        return UNAUTHORIZED
    if status == 500:
        return {"timestamp": _stamp(now), "path": "/f/v2", "status": status, "error": _PHRASES[status],
                "requestId": stable_uuid("request", now)[:8]}  # fmt: skip
    phrase = _PHRASES.get(status, "Error")
    return {"timestamp": _stamp(now), "status": status, "error": phrase, "message": text, "path": "/f"}
