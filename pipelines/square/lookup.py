"""Square's documents by their ids, as events name them.

Right after an event Square may not have what it has just announced: then the order is missing from the
answer, or has no lines yet. The one is absent from the pages, the other is known to be incomplete.

Source: POST /v2/orders/batch-retrieve (at most 100 ids, unknown ones are left out), GET /v2/payments/{id},
GET /v2/refunds/{id}; Square-Version 2026-07-15; developer.squareup.com/forums/t/24124.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pipelines.connector import Page
from pipelines.http import VendorHttp
from pipelines.square.client import items
from pipelines.webhook import References, names_of
from pos_core.errors import VendorAnswerError, VendorRequestError

_ORDERS_PER_BATCH = 100
_NOT_FOUND = "NOT_FOUND"
_SINGLE = {"payments": "payment", "refunds": "refund"}


def lookup(http: VendorHttp, references: References) -> Iterator[Page]:
    """Payments and refunds first, then the orders that were named and those that the payments name.

    Args:
        references: ids by stream: `payments`, `refunds`, `orders`.

    Raises:
        VendorError: Square refuses, or cannot be asked.
    """
    order_ids = dict.fromkeys(references.get("orders", ()))
    for stream in _SINGLE:
        for external_id in dict.fromkeys(references.get(stream, ())):
            page = _one(http, stream, external_id)
            if page is not None:
                order_ids.update(dict.fromkeys(names_of(page.documents[0].get("order_id"))))
                yield page
    yield from orders_by_id(http, list(order_ids))


def orders_by_id(http: VendorHttp, order_ids: Sequence[str]) -> Iterator[Page]:
    """Orders by their ids, a hundred at a time; those that Square does not have are left out."""
    for at in range(0, len(order_ids), _ORDERS_PER_BATCH):
        body = {"order_ids": list(order_ids[at : at + _ORDERS_PER_BATCH])}
        answer = http.post("/v2/orders/batch-retrieve", body)
        yield Page("orders", items(answer.body, "orders"), answer.asked_at)


def _one(http: VendorHttp, stream: str, external_id: str) -> Page | None:
    """One payment or refund; None where Square does not have it yet."""
    try:
        answer = http.get(f"/v2/{stream}/{quote(external_id, safe='')}")
    except VendorRequestError as error:
        if error.code == _NOT_FOUND:
            return None
        raise
    body: Any = answer.body
    document = body.get(_SINGLE[stream]) if isinstance(body, Mapping) else None
    if not isinstance(document, Mapping):
        raise VendorAnswerError(f"Square's answer has no {_SINGLE[stream]}.")
    return Page(stream, [document], answer.asked_at)
