"""Endpoints that do what endpoints may do, to see what the service makes of it."""

from collections.abc import Iterator
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import text
from starlette.responses import StreamingResponse

from pos_core.database.connect import get_engine
from pos_core.errors import VaultError, VendorUnreachableError
from webhook_api.dependencies import Admin, Reader, Writer
from webhook_api.main import create_app

router = APIRouter(prefix="/api/v1/tenants/{tenant_id}/pos/probe", tags=["transactions"])
CANARY = "flour-and-water-7d1f"


class Loaf(BaseModel):
    """A body with what pydantic may complain of."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"name": "Rye"}})

    name: Annotated[str, Field(max_length=20)]
    kind: Literal["rye", "wheat"] = "rye"
    shop: UUID | None = None
    secrets: dict[str, int] = {}

    @field_validator("name")
    @classmethod
    def _is_named_well(cls, value: str) -> str:
        if value.startswith("flour"):
            raise ValueError(f"{value} is no name")
        return value


@router.get("", summary="Read", description="Says who asks.")
def read(access: Reader, request: Request) -> dict[str, str | None]:
    return {
        "tenant": str(access.tenant_id),
        "actor": access.actor.name,
        "origin": access.actor.origin,
        "request_id": access.actor.request_id,
    }


@router.post("", summary="Write", description="Takes a loaf.")
def write(access: Writer, loaf: Loaf) -> dict[str, int]:
    return {"length": len(loaf.name)}


@router.delete("", summary="Administer", description="Does nothing.")
def administer(access: Admin) -> dict[str, str]:
    return {}


@router.get("/vendor", summary="Ask the vendor", description="The vendor does not answer.")
def vendor(access: Reader) -> dict[str, str]:
    raise VendorUnreachableError("The vendor does not answer.")


@router.get("/vault", summary="Open", description="The key is not there.")
def vault(access: Reader) -> dict[str, str]:
    raise VaultError("The key is not among POS_ENCRYPTION_KEYS.")


@router.get("/broken", summary="Break", description="Fails with a secret in the message.")
def broken(access: Reader) -> dict[str, str]:
    raise RuntimeError(CANARY)


@router.get("/broken-database", summary="Break SQL", description="Fails with a secret in the parameters.")
def broken_database(access: Reader) -> dict[str, str]:
    with get_engine().connect() as connection:
        connection.execute(text("select cast(:secret as integer)"), {"secret": CANARY})
    return {}


@router.get("/torn", summary="Tear", description="Fails in the middle of its answer.")
def torn(access: Reader) -> StreamingResponse:
    def pieces() -> Iterator[bytes]:
        yield b"begun"
        raise RuntimeError(CANARY)

    return StreamingResponse(pieces(), media_type="text/plain")


@router.post("/stream", summary="Take a stream", description="Reads a body as it comes.")
async def stream(access: Writer, request: Request) -> dict[str, int]:
    return {"bytes": sum([len(piece) async for piece in request.stream()])}


def probed() -> FastAPI:
    """The application with these endpoints."""
    application = create_app()
    application.include_router(router)
    return application
