"""The vendor's errors: one class, and the body that each has.

Source: Toast orders API 2.9.0, ErrorMessage; a status is a number in real answers.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.ids import stable_uuid
from sandbox.toast.names import Json

_WORDS = {
    400: "The request contains data that is not supported.",
    401: "The access token is missing, expired or not valid.",
    403: "The API client does not have access.",
    404: "The entity was not found.",
    409: "The configuration was published while it was read.",
    429: "Too many requests.",
}
_FIRST_CODE = 10_000


class VendorError(Exception):
    """A refusal: HTTP status, what is wrong, and headers that go with it."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Makes a refusal."""
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})

    def body(self) -> Json:
        """The answer's body."""
        return {
            "status": self.status,
            "code": _FIRST_CODE + self.status,
            "message": str(self),
            "messageKey": None,
            "fieldName": None,
            "link": None,
            "requestId": stable_uuid("request", self.status, str(self)),
            "developerMessage": None,
            "errors": [],
            "canRetry": None,
        }


def body_for_status(status: int) -> Json:
    """The body of a refusal that is known by its status alone."""
    return VendorError(status, _WORDS.get(status, f"The sandbox answers {status} on demand.")).body()
