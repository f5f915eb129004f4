"""The sales of a tenant: listing, one transaction, sums."""

from itertools import chain
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from webhook_api.dependencies import Reader
from webhook_api.negotiation import chosen_media_type, has_already
from webhook_api.problems import responses
from webhook_api.schemas.transactions import (
    Summary,
    SummaryQuery,
    TransactionDetail,
    TransactionPage,
    TransactionQuery,
)
from webhook_api.services import transactions as service
from webhook_api.services.transactions import CSV, JSON, JSON_LINES, Answer, Listing

router = APIRouter(prefix="/api/v1/tenants/{tenant_id}/pos", tags=["transactions"])

_TEXT = {"schema": {"type": "string"}}
_NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The client has it already: its `If-None-Match` has the entity tag."}
}
_PAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page, with its `ETag` and, where there is a next one, a `Link` to it; or all rows.",
        "content": {
            CSV: {**_TEXT, "example": "transaction_id,configuration_id,…\r\n"},
            JSON_LINES: {**_TEXT, "example": '{"transaction_id":"…"}\n'},
        },
    }
}


@router.get(
    "/transactions",
    summary="List sales",
    response_model=TransactionPage,
    responses={**_PAGE, **_NOT_MODIFIED, **responses(401, 403, 404, 406, 422, 503)},
)
def list_transactions(
    access: Reader, request: Request, query: Annotated[TransactionQuery, Query()]
) -> Response:
    """Pages of sales documents: sales, returns, exchanges and what is no sale.

    JSON, CSV or JSON lines, as `Accept` says. Amounts are exact decimals as text. Go on with `next_cursor`
    and the same filters; a page costs the same wherever it is. To follow changes use `changed_since`.
    """
    media_type = chosen_media_type(request, service.MEDIA_TYPES)
    listing = Listing.of(access.tenant_id, query, media_type)
    if query.limit is None and media_type != JSON:
        pieces = service.stream(access.engine, listing)
        # What fails at once is answered as a problem, not as a body that breaks off.
        body = chain([next(pieces)], pieces)
        return StreamingResponse(body, media_type=_content_type(media_type), headers={"Vary": "Accept"})
    limit = query.limit or service.DEFAULT_LIMIT
    answer = service.read_page(access.engine, listing, limit, lambda tag: has_already(request, tag))
    return _answered(answer, media_type, _next_link(request, answer.next_cursor))


@router.get(
    "/transactions/{transaction_id}",
    summary="Read one sale",
    response_model=TransactionDetail,
    responses={**_NOT_MODIFIED, **responses(401, 403, 404, 422, 503)},
)
def read_transaction(
    access: Reader,
    request: Request,
    transaction_id: UUID,
    with_payload: Annotated[
        bool, Query(description="Adds each document as the vendor gave it, without personal data.")
    ] = False,
) -> Response:
    """A sales document with its lines, its payments, and every version of the documents behind it."""
    answer = service.read_one(
        access.engine, access.tenant_id, transaction_id, with_payload, lambda tag: has_already(request, tag)
    )
    return _answered(answer, JSON, {})


@router.get(
    "/summary",
    summary="Add up sales",
    response_model=Summary,
    responses=responses(401, 403, 404, 422, 503),
)
def summarise(access: Reader, query: Annotated[SummaryQuery, Query()]) -> Response:
    """Counts and sums of what is revenue, by trading day, location or system, and always by currency."""
    body = service.summarise(access.engine, access.tenant_id, query)
    return Response(body, media_type=JSON, headers={"Cache-Control": "private, no-cache"})


def _answered(answer: Answer, media_type: str, link: dict[str, str]) -> Response:
    headers = {"ETag": answer.tag, "Cache-Control": "private, no-cache", "Vary": "Accept", **link}
    if answer.body is None:
        return Response(status_code=304, headers=headers)
    return Response(answer.body, media_type=_content_type(media_type), headers=headers)


def _content_type(media_type: str) -> str:
    return "text/csv; charset=utf-8; header=present" if media_type == CSV else media_type


def _next_link(request: Request, cursor: str | None) -> dict[str, str]:
    if cursor is None:
        return {}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return {"Link": f'<?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'}
