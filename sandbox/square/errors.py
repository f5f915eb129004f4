"""The vendor's errors: one class, and which category and code each status has."""

from __future__ import annotations

from sandbox.square.names import Json

_INVALID, _AUTHENTICATION = "INVALID_REQUEST_ERROR", "AUTHENTICATION_ERROR"
_BY_STATUS = {
    401: (_AUTHENTICATION, "UNAUTHORIZED"),
    403: (_AUTHENTICATION, "INSUFFICIENT_SCOPES"),
    404: (_INVALID, "NOT_FOUND"),
    429: ("RATE_LIMIT_ERROR", "RATE_LIMITED"),
    500: ("API_ERROR", "INTERNAL_SERVER_ERROR"),
    502: ("API_ERROR", "BAD_GATEWAY"),
    503: ("API_ERROR", "SERVICE_UNAVAILABLE"),
    504: ("API_ERROR", "GATEWAY_TIMEOUT"),
}
TOKEN_ERRORS = {
    "expired": (401, "ACCESS_TOKEN_EXPIRED", "The access token has expired."),
    "revoked": (401, "ACCESS_TOKEN_REVOKED", "The access token was revoked."),
    "insufficient_scopes": (403, "INSUFFICIENT_SCOPES", "The token lacks a required scope."),
}


class VendorError(Exception):
    """A refusal: HTTP status, the vendor's code, what is wrong and where."""

    def __init__(self, status: int, code: str, detail: str, field: str | None = None) -> None:
        """Makes a refusal."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.field = field

    def body(self) -> Json:
        """The answer's body."""
        category = _BY_STATUS.get(self.status, (_INVALID, ""))[0]
        error: Json = {"category": category, "code": self.code, "detail": str(self)}
        if self.field is not None:
            error["field"] = self.field
        return {"errors": [error]}


def body_for_status(status: int) -> Json:
    """The body of a refusal that is known by its status alone."""
    code = _BY_STATUS.get(status, (_INVALID, "BAD_REQUEST"))[1]
    return VendorError(status, code, f"The sandbox answers {status} on demand.").body()


def invalid(code: str, detail: str, field: str | None = None) -> VendorError:
    """A 400."""
    return VendorError(400, code, detail, field)
