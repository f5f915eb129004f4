"""Syncs as the API takes and gives them."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic import model_validator as check

from pos_core.health import State

_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_EARLIEST_YEAR, _LATEST_YEAR = 2000, 2099


def _read_instant(given: object) -> object:
    """An instant of RFC 3339 as UTC: no number, no bare date, nothing without an offset, nothing far away."""
    if given is None or isinstance(given, datetime):
        return given
    if not isinstance(given, str) or not _RFC_3339.fullmatch(given):
        raise ValueError("an instant like 2026-03-01T00:00:00Z is wanted")
    if not _EARLIEST_YEAR <= int(given[:4]) <= _LATEST_YEAR:
        raise ValueError(f"the year has to be {_EARLIEST_YEAR} to {_LATEST_YEAR}")
    return datetime.fromisoformat(given.upper()).astimezone(UTC)


def _as_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


GivenInstant = Annotated[
    datetime,
    BeforeValidator(_read_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 35}),
]
Instant = Annotated[datetime, PlainSerializer(_as_text, return_type=str)]


class SyncWanted(BaseModel):
    """What to read; with nothing said, what is missing."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{}, {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}]},
    )

    from_: GivenInstant | None = Field(
        default=None, alias="from", description="Read again from this instant on, whatever was read before."
    )
    to: GivenInstant | None = Field(
        default=None, description="With `from`: up to this instant, without it itself. Default: until now."
    )

    @check(mode="after")
    def _is_range(self) -> "SyncWanted":
        if self.to is not None and self.from_ is None:
            raise ValueError("`to` needs `from`")
        if self.from_ is not None and self.from_ >= datetime.now(UTC):
            raise ValueError("`from` has to be in the past")
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise ValueError("`to` has to be later than `from`")
        return self


class SyncError(BaseModel):
    """Why a sync failed, or was postponed."""

    kind: str = Field(description="The kind of failure, for programs.", examples=["auth"])
    message: str = Field(description="What happened and what to do, in plain words.")


class DocumentCounts(BaseModel):
    """What became of a sync's documents."""

    read: int
    landed: int = Field(description="New or changed.")
    new: int = Field(description="Of those landed: never seen before.")
    changed: int = Field(description="Of those landed: another version of one that was there.")
    skipped: int = Field(description="Known already.")
    quarantined: int = Field(description="They cannot be used.")
    waiting: int = Field(description="They were not complete yet and are asked for again.")


class Sync(BaseModel):
    """One sync of a configuration."""

    id: UUID
    source: str = Field(description="`poll` reads what is missing, `backfill` a range again.")
    status: Literal["running", "succeeded", "failed", "postponed"] = Field(
        description="`postponed`: the vendor is down and was not asked; this configuration is not the reason."
    )
    started_at: Instant
    finished_at: Instant | None
    windows_read: int = Field(description="Intervals that were read to their end.")
    calls: int = Field(description="Calls of the vendor's API.")
    pages: int = Field(description="Answers with documents.")
    retries: int
    received_bytes: int
    documents: DocumentCounts
    seconds: dict[str, float] = Field(
        description="How long each step took: `fetch` its own reading, `land` and `normalise` those of all "
        "that its run read."
    )
    error: SyncError | None
    run_id: str | None = Field(description="The run that it was part of.")
    run_url: str | None = Field(description="The run's page, for operators.")


class SyncRequest(BaseModel):
    """A sync that was asked for."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "8d3b1e5c-1b1f-4e0c-9a53-0d8f3f5d2b11",
                "configuration_id": "0b9f5f5c-33d4-4d0b-8a3e-5a3f6f1f7a10",
                "status": "queued",
                "requested_by": "token:front-end",
                "requested_at": "2026-04-12T18:00:00Z",
                "from": None,
                "to": None,
                "finished_at": None,
                "sync_id": None,
            }
        }
    )

    id: UUID
    configuration_id: UUID
    status: Literal["queued", "running", "succeeded", "failed"]
    requested_by: str
    requested_at: Instant
    from_: Instant | None = Field(serialization_alias="from", description="None: what is missing is read.")
    to: Instant | None = Field(description="None: until now.")
    finished_at: Instant | None
    sync_id: UUID | None = Field(description="The sync that carries it out.")


class Gap(BaseModel):
    """An interval that was not read, although later ones were: the next sync reads it."""

    from_: Instant = Field(serialization_alias="from")
    to: Instant


class StreamCoverage(BaseModel):
    """How far one kind of document has been read."""

    stream: str
    location_id: str | None = Field(description="The vendor's id of the shop; none: the whole account.")
    location_name: str | None
    read_until: Instant | None = Field(description="None: nothing has been read yet.")
    gap_count: int
    gaps: list[Gap] = Field(description="The newest 20, in order of time.")


class Reason(BaseModel):
    """Documents of one kind that are kept aside for one reason."""

    stream: str
    reason: str
    documents: int
    last_seen_at: Instant


class Aside(BaseModel):
    """Documents that are kept aside."""

    documents: int
    reasons: list[Reason] = Field(description="The 20 most frequent.")


class SyncStatus(BaseModel):
    """How a configuration is being read."""

    configuration_id: UUID
    status: str = Field(description="Whether it is read at all: `active`, `disabled` or `deleted`.")
    status_reason: str | None
    state: State = Field(
        description="`read`: the last sync read all there is, be it nothing. `failing`: it could not. "
        "`connect_again`: the vendor refuses again and again. `vendor_down`: it was not asked."
    )
    message: str = Field(description="The same in plain words, with what to do.")
    as_of: Instant = Field(description="When this was true.")
    next_sync_at: Instant | None = Field(description="None: it is not active.")
    open_hours: list[int] | None = Field(
        description="Hours of the week in UTC, 0 is Monday 0:00, in which its shops may sell; in others it "
        "is read less often. None: not known yet."
    )
    last_succeeded_at: Instant | None
    consecutive_failures: int
    lag_seconds: float | None = Field(
        description="How long ago the stream was read that is the furthest behind; none: one was never read."
    )
    newest_change_at: Instant | None = Field(description="When a document of the newest day last changed.")
    newest_change_lag_seconds: float | None = Field(description="How long ago that was.")
    running: Sync | None
    finished: list[Sync] = Field(description="The last 10, newest first.")
    open_requests: list[SyncRequest]
    coverage: list[StreamCoverage]
    quarantined: Aside
    waiting: Aside
