"""Connecting by login, as requests and answers have it."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from webhook_api.schemas.fields import Instant


class LoginOut(BaseModel):
    """Where to send the browser that asked; it also got a cookie, without which the login cannot end."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "authorize_url": "https://vendor.example/authorize?client_id=…&state=…",
                "expires_at": "2026-08-03T09:25:00Z",
            }
        }
    )

    authorize_url: str
    expires_at: Instant = Field(description="The login must have ended by then.")


class ConnectedOut(BaseModel):
    """The login has ended well."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "configuration_id": "0b9f5f5c-33d4-4d0b-8a3e-5a3f6f1f7a10",
                "message": "Corner Bakery Ltd is connected.",
            }
        }
    )

    configuration_id: UUID
    message: str
