"""Whether the service lives, and whether it can work."""

from typing import Any, Literal

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, Field

from pos_core.database.ready import Part
from webhook_api.services.readiness import Readiness

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    """The state of the service."""

    status: Literal["ok", "unavailable"]
    part: Part | None = Field(default=None, description="Which part of what it needs is missing.")
    detail: str | None = Field(default=None, description="What is missing, and what to do about it.")


def _example(**content: str) -> dict[str, Any]:
    return {"content": {"application/json": {"example": content}}}


_NOT_READY = {
    "model": Health,
    "description": "The service cannot do its work.",
    **_example(status="unavailable", part="database", detail="The database does not answer."),
}


@router.get(
    "/live",
    summary="Does the service live",
    response_model_exclude_none=True,
    responses={200: _example(status="ok")},
)
async def live() -> Health:
    """Says that the process answers; asks nobody else."""
    return Health(status="ok")


@router.get(
    "/ready",
    summary="Can the service work",
    response_model_exclude_none=True,
    responses={200: _example(status="ok"), 503: _NOT_READY},
)
async def ready(request: Request, response: Response) -> Health:
    """Says whether the process can do its work: the database answers and has its tables and roles.

    Answers within two seconds, whatever the database does.
    """
    state = request.app.state
    if not hasattr(state, "readiness"):
        state.readiness = Readiness()
    lack = await state.readiness.lack()
    if lack is None:
        return Health(status="ok")
    response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Health(status="unavailable", part=lack.part, detail=lack.detail)
