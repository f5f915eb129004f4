"""Errors as the service answers them: problem details in JSON (RFC 9457)."""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from pos_core import errors
from pos_core.errors import PosError
from webhook_api.invalid import described

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
FAILED = "The service failed; the log has the reason."
_NO_DATABASE = "The database does not answer; try again."
# Classes of SQLSTATE: connections, resources, and an operator who intervenes.
_AWAY = {"08", "53", "57"}
_NO_LOCK = "55P03"  # somebody else had it for too long
_JSON = re.compile(r"application/([\w.+-]+\+)?json", re.IGNORECASE)
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
    errors.ConfigurationChangedError: 412,
    errors.ConnectError: 400,
    errors.ConfigurationInactiveError: 409,
    errors.SyncBacklogError: 409,
    errors.AccessTokenError: 401,
    errors.AccessDeniedError: 403,
    errors.IssuerError: 503,
    errors.TooManyRequestsError: 429,
    errors.BusyError: 503,
    errors.UnknownResourceError: 404,
    errors.QueryError: 422,
    errors.WebhookError: 400,
    errors.WebhookSignatureError: 401,
    errors.WebhookSecretError: 503,
    errors.VendorError: 502,
    errors.VendorAuthError: 422,
    errors.VendorRequestError: 422,
    errors.VendorRateLimitError: 503,
}


class ProblemResponse(JSONResponse):
    """A problem as it is sent; half a character, which UTF-8 has not got, does not stop it."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """The JSON in UTF-8."""
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


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
        return answer_error(request, error)

    @application.exception_handler(RequestValidationError)
    def not_valid(request: Request, error: RequestValidationError) -> JSONResponse:
        found = error.errors()
        sent_as = request.headers.get("content-type", "").partition(";")[0].strip()
        if (
            any(tuple(each["loc"]) == ("body",) for each in found)
            and sent_as
            and not _JSON.fullmatch(sent_as)
        ):
            return answer(
                request, 415, "The body has to be JSON (application/json).", "unsupported_media_type"
            )
        document = request.app.openapi()
        return answer(
            request, 422, "The request is not valid.", "not_valid", problems=described(found, document)
        )

    @application.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> JSONResponse:
        title = _TITLES.get(error.status_code, "Error")
        code = title.lower().replace(" ", "_")
        headers = dict(error.headers or {})
        if error.status_code == 405 and (methods := _methods(request)):
            headers["Allow"] = ", ".join(methods)
        return answer(request, error.status_code, str(error.detail), code, headers)

    @application.exception_handler(DBAPIError)
    @application.exception_handler(PoolTimeoutError)
    def database_error(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, DBAPIError) and not _is_away(error):
            raise error
        logger.error("The database does not answer: %s", type(error).__name__)
        return answer(request, 503, _NO_DATABASE, "database")


def _methods(request: Request) -> list[str]:
    """The methods of a path; the router itself knows those of the first function on it."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    found = [path for path in paths if compile_path(path)[0].match(request.scope["path"])]
    # The most literal one: `/status` is no id.
    fewest = min((path.count("{") for path in found), default=0)
    there = [paths[path] for path in found if path.count("{") == fewest]
    return sorted({method.upper() for methods in there for method in methods})


def _is_away(error: DBAPIError) -> bool:
    """Whether the server could not be reached or has gone; a login that fails has no SQLSTATE."""
    state = getattr(error.orig, "sqlstate", None)
    return (
        error.connection_invalidated
        or state == _NO_LOCK
        or isinstance(error, InterfaceError)
        or (isinstance(error, OperationalError) and (state is None or state[:2] in _AWAY))
    )


def status_of(error: PosError) -> int:
    """The HTTP status of a failure."""
    return next(_STATUSES[each] for each in type(error).__mro__ if each in _STATUSES)


def answer_error(request: Request, error: PosError) -> JSONResponse:
    """A failure of the tree as the answer to a request, with the headers that belong to its kind.

    What is the operator's to mend is told in the log alone: it names settings, files and addresses.
    """
    status, detail = status_of(error), error.message
    headers: dict[str, str] = {}
    if status == 500 or isinstance(error, errors.DatabaseError):
        logger.error("The request failed: %s", error.message)
        detail = FAILED if status == 500 else _NO_DATABASE
    elif isinstance(error, errors.AccessTokenError):
        # Source: RFC 6750, section 3.1: no reason where no token was sent.
        was_sent = "authorization" in request.headers
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if was_sent else "Bearer"
    elif isinstance(error, errors.AccessDeniedError):
        headers["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'
    elif isinstance(error, errors.TooManyRequestsError):
        headers["Retry-After"] = str(error.retry_after_seconds)
    return answer(request, status, detail, error.error_class, headers)


def answer(
    request: Request,
    status: int,
    detail: str,
    code: str,
    headers: Mapping[str, str] | None = None,
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
    return ProblemResponse(body, status_code=status, headers=headers)
