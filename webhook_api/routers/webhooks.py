"""Where the vendors send their events."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from pos_core.errors import AccessDeniedError
from webhook_api.auth import OPERATOR, READ, Principal
from webhook_api.dependencies import get_principal
from webhook_api.problems import responses
from webhook_api.schemas.webhooks import WebhookStatus
from webhook_api.services.receiver import Receiver
from webhook_api.services.webhook_status import webhook_status

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])

PosSystem = Annotated[str, Path(description="The POS system.", max_length=40)]
_ACCEPTED = Response(b'{"status":"accepted"}', media_type="application/json")
_FAILURES = responses(400, 401, 404, 413, 503)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Committed.",
        "content": {"application/json": {"example": {"status": "accepted"}}},
    },
    **_FAILURES,
}
_BODY = {
    "requestBody": {
        "description": "The event as the vendor sends it, signed in a header.",
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"event_id": "…", "type": "payment.updated", "merchant_id": "…", "data": {}},
            }
        },
    }
}


@router.post(
    "/{pos_system}",
    summary="Receive an event",
    description="For vendors alone. The signature is verified over the raw body; the answer comes when the "
    "event is committed. A repeated event is answered alike and does nothing. 401: the signature does not "
    "fit, nothing was stored. 503: our own failure, send it again.",
    response_class=Response,
    responses=_ANSWERS,
    openapi_extra=_BODY,
)
async def receive(pos_system: PosSystem, request: Request) -> Response:
    """An event signed with the operator's secret, for whichever configurations it concerns."""
    await _receiver(request).receive(pos_system, None, dict(request.headers), await request.body())
    return _ACCEPTED


@router.post(
    "/{pos_system}/{config_id:uuid}",
    summary="Receive an event of one configuration",
    description="As above, at the address of one configuration, whose own secret signs or authenticates it.",
    response_class=Response,
    responses=_ANSWERS,
    openapi_extra=_BODY,
)
async def receive_for(pos_system: PosSystem, config_id: UUID, request: Request) -> Response:
    """An event signed with a connection's own secret, which speaks for that configuration alone."""
    await _receiver(request).receive(pos_system, config_id, dict(request.headers), await request.body())
    return _ACCEPTED


@router.get(
    "/{pos_system}/status",
    summary="How the webhooks of a POS are doing",
    description="Whether and where they are registered, what came and what became of it, how long it took "
    "from the vendor's time stamp to the row, what waits, and which changes no webhook told of. Of the "
    "token's tenant; with the scope `pos:operator` of all.",
    responses=responses(401, 403, 404, 422, 429, 503),
)
def status(pos_system: PosSystem, principal: Annotated[Principal, Depends(get_principal)]) -> WebhookStatus:
    """The figures that the caller may see."""
    is_operator = OPERATOR in principal.scopes
    if not is_operator and READ not in principal.scopes:
        raise AccessDeniedError(f"The access token has not got the scope {READ}.")
    return webhook_status(pos_system, principal.tenant_id, is_operator)


def _receiver(request: Request) -> Receiver:
    receiver: Receiver = request.app.state.receiver
    return receiver
