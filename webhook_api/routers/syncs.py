"""Syncs of a configuration: asking for one, and how they are going."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Body, Request, Response

from pos_core.settings import get_settings
from webhook_api.auth import OPERATOR
from webhook_api.dependencies import Reader, Writer
from webhook_api.problems import responses
from webhook_api.schemas.syncs import SyncRequest, SyncStatus, SyncWanted
from webhook_api.services import syncs
from webhook_api.services.runs import LAUNCHER

router = APIRouter(prefix="/api/v1/tenants/{tenant_id}/pos/configurations/{config_id}/sync", tags=["syncs"])

_EXAMPLES = {
    "missing": {"summary": "What is missing", "value": {}},
    "range": {
        "summary": "A month again",
        "value": {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"},
    },
}
_LOCATION = {"description": "Where the request's status is.", "schema": {"type": "string"}}


@router.post(
    "",
    status_code=202,
    summary="Ask for a sync",
    response_description="The sync is queued or running already.",
    responses={
        202: {"headers": {"Location": _LOCATION}},
        **responses(401, 403, 404, 409, 422, 503),
    },
)
def ask_for_sync(
    config_id: UUID,
    access: Writer,
    request: Request,
    response: Response,
    tasks: BackgroundTasks,
    wanted: Annotated[SyncWanted | None, Body(openapi_examples=_EXAMPLES)] = None,
) -> SyncRequest:
    """Reads what is missing, or a range again, as soon as a run can start.

    The range is half-open and in the time by which the vendor lists documents: for most when they last
    changed. Asking for the same while it is queued or running gives the same request.
    """
    made = syncs.request_sync(
        access.engine, access.tenant_id, config_id, wanted or SyncWanted(), access.actor
    )
    # After the answer: whether Dagster is slow or down is no concern of the caller's.
    tasks.add_task(LAUNCHER.launch_queued, access.tenant_id)
    response.headers["Location"] = request.app.url_path_for(
        "sync_request", tenant_id=access.tenant_id, config_id=config_id, request_id=made.id
    )
    return made


@router.get("/status", summary="How the syncs are going", responses=responses(401, 403, 404, 422, 503))
def sync_status(config_id: UUID, access: Reader) -> SyncStatus:
    """The running and the last syncs, what was read until when, gaps, lag, and documents kept aside.

    The links to the pages of runs are for tokens with the scope `pos:operator`.
    """
    is_operator = OPERATOR in access.principal.scopes
    address = get_settings().dagster_address if is_operator else None
    return syncs.read_status(access.engine, access.tenant_id, config_id, address)


@router.get(
    "/{request_id}",
    name="sync_request",
    summary="A sync that was asked for",
    responses=responses(401, 403, 404, 422, 503),
)
def sync_request(config_id: UUID, request_id: UUID, access: Reader) -> SyncRequest:
    """Whether a sync that was asked for is queued or running, or how it ended; the status has its figures."""
    return syncs.find_request(access.engine, access.tenant_id, config_id, request_id)
