"""Whether the service lives, and whether it can work."""

from typing import Literal

from fastapi import APIRouter, Response, status
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from pos_core.database.connect import get_engine
from pos_core.errors import PosError

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    """The state of the service."""

    status: Literal["ok", "unavailable"]


@router.get("/live")
def live() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/ready", responses={503: {"model": Health, "description": "The database does not answer."}})
def ready(response: Response) -> Health:
    """The process can do its work: the database answers."""
    try:
        with get_engine().connect() as connection:
            connection.execute(text("select 1"))
    except (PosError, SQLAlchemyError):
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        return Health(status="unavailable")
    return Health(status="ok")
