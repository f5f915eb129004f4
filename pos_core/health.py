"""How a configuration is doing, in words: nothing sold is told from not asked, and who can mend what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pos_core import errors

_REFUSED_FOR_GOOD = 3
"""Refusals in a row after which nobody believes any more that the vendor made a mistake."""


class Remedy(StrEnum):
    """Who can mend a failure: time does, the tenant has to connect again, or somebody has to look."""

    TIME = "time"
    TENANT = "tenant"
    OPERATOR = "operator"


_REMEDIES = {
    **dict.fromkeys(
        (
            errors.VendorRateLimitError.error_class,
            errors.VendorUnreachableError.error_class,
            errors.VendorFaultError.error_class,
            errors.VendorAnswerError.error_class,
            errors.VendorDownError.error_class,
            "interrupted",
        ),
        Remedy.TIME,
    ),
    **dict.fromkeys(
        (
            errors.VendorAuthError.error_class,
            errors.VendorScopeError.error_class,
            errors.CredentialsError.error_class,
        ),
        Remedy.TENANT,
    ),
}


class State(StrEnum):
    """How a configuration is doing."""

    INACTIVE = "inactive"
    NEVER_READ = "never_read"
    READ = "read"
    FAILING = "failing"
    CONNECT_AGAIN = "connect_again"
    VENDOR_DOWN = "vendor_down"


@dataclass(frozen=True)
class LastSync:
    """The last sync that has ended.

    Args:
        read_until: up to when everything has been read; None where nothing has been.
    """

    status: str
    read_until: datetime | None
    documents_read: int
    documents_new: int
    documents_changed: int
    error_class: str | None
    error: str | None

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> "LastSync":
        """What a row of the log says."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Health:
    """How a configuration is doing: for programs, and in words."""

    state: State
    message: str


def remedy(error_class: str) -> Remedy:
    """Who can mend a failure of this class."""
    return _REMEDIES.get(error_class, Remedy.OPERATOR)


def of_configuration(
    title: str, status: str, status_reason: str | None, failures: int, last: LastSync | None
) -> Health:
    """How a configuration is doing.

    Args:
        title: the vendor's name.
        status, status_reason: of the configuration.
        failures: how many syncs have failed in a row.
    """
    if status != "active":
        reason = f": {status_reason}" if status_reason and status_reason != status else ""
        return Health(State.INACTIVE, f"Nothing is read, it is {status}{reason}.")
    if last is None:
        return Health(State.NEVER_READ, f"{title} has not been asked yet.")
    return of_sync(title, last, failures)


def of_sync(title: str, last: LastSync, failures: int = 0) -> Health:
    """What the end of a sync says of a configuration; `failures` is how many failed in a row."""
    if last.status == "succeeded":
        until = f" until {_moment(last.read_until)}" if last.read_until else ""
        return Health(State.READ, f"Read completely{until}: {_found(title, last)}")
    error_class, said = last.error_class or "", last.error or "no reason is known"
    if last.status == "postponed":
        return Health(State.VENDOR_DOWN, f"Not asked: {said}")
    mended_by = remedy(error_class)
    if mended_by is Remedy.TENANT:
        if failures < _REFUSED_FOR_GOOD:
            return Health(State.FAILING, f"Could not ask: {said}")
        return Health(
            State.CONNECT_AGAIN,
            f"Could not ask: {said} {title} has refused {failures} times in a row, and nothing is read until "
            "somebody connects the account again.",
        )
    if mended_by is Remedy.TIME:
        return Health(State.FAILING, f"Could not ask: {said} It is tried again by itself.")
    look = "It is tried again, but somebody has to look at the reason."
    return Health(State.FAILING, f"Could not be read: {said} {look}")


def spoken(open_hours: list[int]) -> str:
    """Hours of the week in words: each day's ranges, in UTC; 0 is Monday 0:00."""
    days = []
    for day, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
        hours = sorted(each % 24 for each in open_hours if each // 24 == day)
        starts = [each for each in hours if each - 1 not in hours]
        ends = [each + 1 for each in hours if each + 1 not in hours]
        ranges = ", ".join(f"{start}-{end}" for start, end in zip(starts, ends, strict=True))
        if ranges:
            days.append(f"{name} {ranges}")
    return f"{'; '.join(days)} (UTC)"


def _found(title: str, last: LastSync) -> str:
    if last.documents_read == 0:
        return f"{title} has nothing, 0 documents."
    known = last.documents_read - last.documents_new - last.documents_changed
    if last.documents_new + last.documents_changed == 0:
        return f"{title} has nothing new, its {last.documents_read} documents were known."
    return (
        f"{title} has {last.documents_read} documents: {last.documents_new} new, "
        f"{last.documents_changed} changed, {known} known."
    )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
