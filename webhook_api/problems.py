"""Errors as the service answers them: problem details in JSON (RFC 9457)."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from pos_core import errors
from pos_core.errors import PosError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "Bad request", 401: "Not authenticated", 403: "Not allowed", 404: "Not found",
    405: "Method not allowed", 406: "Not acceptable", 409: "Conflict", 412: "Precondition failed",
    413: "Too large", 415: "Unsupported media type", 422: "Not valid", 429: "Too many requests",
    500: "Internal error", 502: "The vendor failed", 503: "Not available",
}  # fmt: skip
# The nearest class of the tree counts.
_STATUSES: dict[type[PosError], int] = {
    errors.PosError: 500,
    errors.DatabaseError: 503,
    errors.ConfigurationError: 422,
    errors.UnknownConfigurationError: 404,
    errors.ConfigurationInUseError: 409,
    errors.AccessTokenError: 401,
    errors.AccessDeniedError: 403,
    errors.UnknownResourceError: 404,
    errors.VendorError: 502,
    errors.VendorAuthError: 422,
    errors.VendorRequestError: 422,
    errors.VendorRateLimitError: 503,
}


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "Not found",
                "status": 404,
                "detail": "There is no configuration 0b9f5f5c-33d4-4d0b-8a3e-5a3f6f1f7a10.",
                "code": "unknown_configuration",
                "request_id": "5f0c1c52-6f0e-4a3c-9a53-0d8f3f5d2b11",
            }
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="What happened and what to do about it.")
    code: str = Field(description="The kind of failure, for programs.")
    request_id: str | None = Field(default=None, description="By which the service's log can be searched.")
    errors: list[dict[str, Any]] | None = Field(default=None, description="Of a 422: what is wrong where.")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented failures of an endpoint, for FastAPI's `responses`."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _TITLES[status], "content": content} for status in statuses}


def add_handlers(application: FastAPI) -> None:
    """Has every failure answered as a problem."""

    @application.exception_handler(PosError)
    def pos_error(request: Request, error: PosError) -> JSONResponse:
        status = status_of(error)
        if status == 500:
            logger.error("%s %s failed: %s", request.method, request.url.path, error.message)
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        return answer(request, status, error.message, error.error_class, headers)

    @application.exception_handler(RequestValidationError)
    def not_valid(request: Request, error: RequestValidationError) -> JSONResponse:
        # What was sent is not repeated: it may be a secret.
        found = [{"where": list(each["loc"]), "what": each["msg"]} for each in error.errors()]
        return answer(request, 422, "The request is not valid.", "not_valid", problems=found)

    @application.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> JSONResponse:
        title = _TITLES.get(error.status_code, "Error")
        code = title.lower().replace(" ", "_")
        return answer(request, error.status_code, str(error.detail), code, error.headers)

    @application.exception_handler(DBAPIError)
    @application.exception_handler(PoolTimeoutError)
    def database_error(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, DBAPIError) and not error.connection_invalidated:
            raise error
        return answer(request, 503, "The database does not answer; try again.", "database")

    @application.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> JSONResponse:
        return answer(request, 500, "The service failed; the log has the reason.", "internal")


def status_of(error: PosError) -> int:
    """The HTTP status of a failure."""
    return next(_STATUSES[each] for each in type(error).__mro__ if each in _STATUSES)


def answer(
    request: Request,
    status: int,
    detail: str,
    code: str,
    headers: Any = None,
    problems: list[dict[str, Any]] | None = None,
) -> JSONResponse:
    """A problem as the answer to a request."""
    problem = Problem(
        title=_TITLES.get(status, "Error"),
        status=status,
        detail=detail,
        code=code,
        request_id=getattr(request.state, "request_id", None),
        errors=problems,
    )
    body = problem.model_dump(exclude_none=True)
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)
