"""The audit trail as answers have it."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from webhook_api.schemas.fields import Instant


class AuditEntryOut(BaseModel):
    """Who did what to which configuration, when and from where."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {
                "id": 41,
                "at": "2026-08-03T09:15:02Z",
                "actor": "token:ada",
                "origin": "192.0.2.7",
                "request_id": "5f0c1c52-6f0e-4a3c-9a53-0d8f3f5d2b11",
                "action": "configuration.disabled",
                "configuration_id": "0b9f5f5c-33d4-4d0b-8a3e-5a3f6f1f7a10",
                "before": {"name": "Corner bakery", "status": "active"},
                "after": {"name": "Corner bakery", "status": "disabled"},
            }
        },
    )

    id: int
    at: Instant
    actor: str
    origin: str | None
    request_id: str | None
    action: str
    configuration_id: UUID | None
    before: dict[str, Any] | None = Field(description="Without secrets; credentials as a fingerprint.")
    after: dict[str, Any] | None


class AuditPageOut(BaseModel):
    """Some entries, the newest first."""

    items: list[AuditEntryOut]
    next_cursor: str | None = Field(description="Asks for the next page; null on the last one.")
