"""The service's log: one line for each thing, with the id of the request it belongs to."""

import logging
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="-")
"""Of the request that is being answered."""


class WithRequestId(logging.Filter):
    """Adds the request's id to each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record pass."""
        record.request_id = request_id.get()
        return True


def configuration() -> dict[str, Any]:
    """How a process of the service logs, for `logging.config.dictConfig`: on standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": WithRequestId}},
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["request_id"],
            }
        },
        "root": {"level": "INFO", "handlers": ["stderr"]},
        # They log whole addresses, queries included.
        "loggers": {name: {"level": "WARNING"} for name in ("httpx", "httpcore")},
    }


def without_values(error: BaseException) -> str:
    """Where something went wrong, outermost last: classes and lines of code, and no message.

    Messages of libraries hold what was sent or stored, such as the row that the database refused.
    """
    return "".join(
        f"{''.join(traceback.format_tb(each.__traceback__))}{_named(each)}\n" for each in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _chain(before)
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _chain(each)
    yield error


def _named(error: BaseException) -> str:
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return f"{type(error).__module__}.{type(error).__qualname__}" + (f" (SQLSTATE {state})" if state else "")
