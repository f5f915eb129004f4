"""Configurations as requests and answers have them; credentials go in and never come out."""

import json
from datetime import time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from pipelines.registry import connectors
from pos_core.repositories.configurations import Configuration
from pos_core.repositories.tenant_configurations import LocationState
from webhook_api.schemas.fields import Instant, Words
from webhook_api.services.trial import Reason, Trial

_LARGEST_CREDENTIALS_BYTES = 20_000
_POS_SYSTEMS = list(connectors())


def _small(credentials: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(credentials)) > _LARGEST_CREDENTIALS_BYTES:
        raise ValueError(f"is larger than {_LARGEST_CREDENTIALS_BYTES} bytes")
    return credentials


PosSystem = Annotated[
    str, Field(max_length=30, pattern=r"^[a-z][a-z0-9_]*$", json_schema_extra={"enum": _POS_SYSTEMS})
]
DayStart = Annotated[
    str,
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    Field(description="When the business day begins, in the shop's time: HH:MM.", examples=["04:00"]),
]
Interval = Annotated[int, Field(ge=10, le=86_400, description="How often it is synced.", examples=[300])]
Secrets = Annotated[
    dict[str, JsonValue],
    Field(
        min_length=1,
        max_length=20,
        description="What the vendor gave the customer, as the POS's documentation lists it. Write-only.",
        examples=[{"access_token": "what-the-vendor-gave"}],
        json_schema_extra={"writeOnly": True},
    ),
    AfterValidator(_small),
]


class NewConfigurationIn(BaseModel):
    """An account to connect; whose it is and which shops it has, the vendor says."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "pos_system": _POS_SYSTEMS[0],
                "name": "Corner bakery",
                "credentials": {"access_token": "what-the-vendor-gave"},
                "day_starts_at": "04:00",
            }
        },
    )

    pos_system: PosSystem
    name: Words
    credentials: Secrets = Field(repr=False)
    day_starts_at: DayStart | None = None
    sync_interval_seconds: Interval | None = None


class ConfigurationChangeIn(BaseModel):
    """What is to change; what is left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"name": "Corner bakery", "status": "disabled", "status_reason": "closed for summer"}
        },
    )

    name: Words | None = None
    day_starts_at: DayStart | None = None
    sync_interval_seconds: Interval | None = None
    status: Literal["active", "disabled"] | None = Field(
        default=None, description="Enabling asks the vendor and takes the locations again."
    )
    status_reason: Words | None = Field(default=None, description="Of a disabled one.")
    credentials: Secrets | None = Field(
        default=None, repr=False, description="New ones of the same account. Write-only."
    )


class AccountOut(BaseModel):
    """An account, as the vendor names it."""

    id: str
    name: str | None


class LocationOut(BaseModel):
    """A shop of the account."""

    id: str
    name: str | None
    is_live: bool = Field(description="Whether its sales are read by this configuration.")


class ConfigurationOut(BaseModel):
    """A connection of the tenant to one account."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0b9f5f5c-33d4-4d0b-8a3e-5a3f6f1f7a10",
                "pos_system": _POS_SYSTEMS[0],
                "name": "Corner bakery",
                "account": {"id": "MLX41T0Q", "name": "Corner Bakery Ltd"},
                "locations": [{"id": "L8T2K", "name": "High Street", "is_live": True}],
                "status": "active",
                "status_reason": None,
                "credentials_hint": {"access_token": "…x7Qd"},
                "credentials_fingerprint": "5f2b9c0d1e3a4b68",
                "day_starts_at": "04:00",
                "sync_interval_seconds": 300,
                "last_succeeded_at": "2026-08-03T09:15:02Z",
                "next_sync_at": "2026-08-03T09:20:02Z",
                "consecutive_failures": 0,
                "created_at": "2026-07-01T08:00:00Z",
                "updated_at": "2026-07-01T08:00:00Z",
            }
        }
    )

    id: UUID
    pos_system: str
    name: str
    account: AccountOut
    locations: list[LocationOut]
    status: Literal["active", "disabled", "deleted"]
    status_reason: str | None
    credentials_hint: dict[str, str] | None = Field(description="By key, the last letters of long ones.")
    credentials_fingerprint: str | None = Field(description="Tells one set of credentials from another.")
    day_starts_at: str = Field(description="HH:MM in the shop's time.")
    sync_interval_seconds: int
    last_succeeded_at: Instant | None
    next_sync_at: Instant
    consecutive_failures: int
    created_at: Instant
    updated_at: Instant


class ConfigurationPageOut(BaseModel):
    """Some configurations, the oldest first."""

    items: list[ConfigurationOut]
    next_cursor: str | None = Field(description="Asks for the next page; null on the last one.")


class TrialDetailsOut(BaseModel):
    """What a test found."""

    reason: Reason
    said: str | None = Field(description="The failure in more technical words.")
    account: AccountOut | None
    locations: list[AccountOut] = Field(description="The shops that the vendor listed.")


class TrialOut(BaseModel):
    """Whether a configuration works; a vendor that fails is an answer, not an error."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "ok": False,
                "message": "The vendor does not accept this connection any more: it has expired or was "
                "withdrawn. Connect the account again.",
                "details": {"reason": "access", "said": None, "account": None, "locations": []},
            }
        }
    )

    ok: bool
    message: str = Field(description="For the owner of the shop.")
    details: TrialDetailsOut


def shown(configuration: Configuration, locations: list[LocationState]) -> ConfigurationOut:
    """A configuration as an answer."""
    return ConfigurationOut(
        id=configuration.id,
        pos_system=configuration.pos_system,
        name=configuration.name,
        account=AccountOut(id=configuration.account_id, name=configuration.account_name),
        locations=[LocationOut(id=each.id, name=each.name, is_live=each.is_live) for each in locations],
        status=configuration.status,
        status_reason=configuration.status_reason,
        credentials_hint=configuration.credentials_hint,
        credentials_fingerprint=configuration.credentials_fingerprint,
        day_starts_at=configuration.day_starts_at.isoformat("minutes"),
        sync_interval_seconds=configuration.sync_interval_seconds,
        last_succeeded_at=configuration.last_succeeded_at,
        next_sync_at=configuration.next_sync_at,
        consecutive_failures=configuration.consecutive_failures,
        created_at=configuration.created_at,
        updated_at=configuration.updated_at,
    )


def shown_trial(trial: Trial) -> TrialOut:
    """The end of a test as an answer."""
    account = trial.account
    details = TrialDetailsOut(
        reason=trial.reason,
        said=trial.said,
        account=AccountOut(id=account.account_id, name=account.name) if account else None,
        locations=[AccountOut(id=each.external_id, name=each.name) for each in account.locations]
        if account
        else [],
    )
    return TrialOut(ok=account is not None, message=trial.message, details=details)


def time_of(text: str | None) -> time | None:
    """A `DayStart` as a time."""
    return None if text is None else time.fromisoformat(text)
