"""What the status of webhooks looks like."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class EventCounts(BaseModel):
    """Events of a stretch of time."""

    by_outcome: dict[str, int] = Field(
        description="processed, pending, ignored, unknown_account (no live configuration), given_up (left to "
        "the next sync)."
    )
    by_type: dict[str, int] = Field(description="By the vendor's own type.")


class SecondsToRow(BaseModel):
    """From the vendor's time stamp to the row in the tables, of the last day's events, in seconds."""

    p50: float | None
    p95: float | None


class Registration(BaseModel):
    """Where the vendor sends its events, and how it comes to do so."""

    is_registered: bool | None = Field(
        description="Whether a subscription exists that we made; null where the vendor has no API to ask."
    )
    address: str | None = Field(description="The operator's address; null where each configuration has one.")
    registered_address: str | None = Field(default=None, description="As the vendor has it.")
    is_enabled: bool | None = Field(default=None, description="Whether the vendor says that it sends.")
    checked_at: datetime | None = Field(default=None, description="When the vendor has confirmed it last.")
    problem: str | None = Field(default=None, description="Why the last attempt to register failed.")
    has_secret: bool = Field(description="Whether there is an operator's secret to verify events with.")
    instructions: str | None = Field(description="What a person has to enter where; null where nothing.")


class ConfigurationWebhooks(BaseModel):
    """The loss meter of one configuration, over the last day."""

    configuration_id: UUID
    name: str
    address: str | None = Field(description="The address of this configuration alone, where there is one.")
    last_event_at: datetime | None
    announced: int = Field(description="Changes that syncs found and a webhook had told of.")
    unannounced: int = Field(
        description="Changes that syncs found and no webhook had told of; rising while sales come means that "
        "the vendor has stopped sending."
    )
    unpolled: int = Field(description="Sales that a webhook told of and the sync after it did not return.")


class WebhookStatus(BaseModel):
    """The state of one POS's webhooks, for the token's tenant or, for operators, as a whole."""

    pos_system: str
    scope: str = Field(description="tenant, or everything for operators.")
    registration: Registration
    last_event_at: datetime | None
    last_hour: EventCounts
    last_day: EventCounts
    not_stored_last_day: dict[str, int] | None = Field(
        description="Deliveries that left nothing (refused, malformed, repeated); for operators alone."
    )
    seconds_to_row: SecondsToRow
    pending: int
    oldest_pending_at: datetime | None
    configurations: list[ConfigurationWebhooks] = Field(description="The token's tenant's.")
