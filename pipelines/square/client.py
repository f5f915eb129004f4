"""Square's HTTP API: the headers, what its errors mean, and how its lists page.

Source: developer.squareup.com, Square-Version 2026-07-15.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pipelines.connector import Account, Credentials, Document, Location
from pipelines.credentials import Keeper
from pipelines.http import Answer, VendorHttp
from pipelines.square.documents import parse_instant
from pipelines.square.oauth import API_VERSION, authorization
from pos_core.errors import (
    CredentialsError,
    PosError,
    VendorAnswerError,
    VendorAuthError,
    VendorRequestError,
    VendorScopeError,
)

_REQUESTS_PER_SECOND = 20  # Square publishes no figure; it answers 429 when it is too much
_FOUNDED_AT = datetime(2009, 1, 1, tzinfo=UTC)
_AUTH_WORDS = {
    "ACCESS_TOKEN_EXPIRED": "Square says that the access token has expired; connect the account again.",
    "ACCESS_TOKEN_REVOKED": "Square says that the access was revoked; connect the account again.",
    "UNAUTHORIZED": "Square does not accept the access token; check it and the SQUARE_BASE_URL.",
    "INSUFFICIENT_SCOPES": "The access token may not read this; it needs ORDERS_READ, PAYMENTS_READ, "
    "MERCHANT_PROFILE_READ and ITEMS_READ.",
}


def open_http(base_url: str, keeper: Keeper) -> VendorHttp:
    """A client for one Square account."""
    auth = authorization(base_url, keeper)
    headers = {"square-version": API_VERSION}
    return VendorHttp("Square", base_url, headers, read_error, _REQUESTS_PER_SECOND, auth)


def read_error(status: int, body: Any) -> PosError:
    """The error for a refusal; Square puts `errors[{category, code, detail}]` in its body."""
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code = str(first.get("code", ""))
    if code == "INSUFFICIENT_SCOPES":
        return VendorScopeError(_AUTH_WORDS[code])
    if status == 403 and code not in _AUTH_WORDS:
        return VendorScopeError(f"Square does not allow this to the access token ({code or 'HTTP 403'}).")
    if code in _AUTH_WORDS or status == 401:
        return VendorAuthError(_AUTH_WORDS.get(code, _AUTH_WORDS["UNAUTHORIZED"]))
    return VendorRequestError(f"Square refused a request with {f'HTTP {status} {code}'.strip()}.", code)


def confirm(http: VendorHttp, credentials: Credentials) -> Account:
    """Asks whose token it is and which shops it has, closed ones too.

    Raises:
        CredentialsError: they name another merchant.
        VendorAuthError: the token is not accepted, or may not read the profile.
        VendorAnswerError: the answer is not as documented.
    """
    merchants = items(http.get("/v2/merchants").body, "merchant")
    locations = items(http.get("/v2/locations").body, "locations")
    if len(merchants) != 1 or locate(merchants[0]) is None:
        raise VendorAnswerError("Square did not say which merchant the token belongs to.")
    merchant = merchants[0]
    named = credentials.get("merchant_id")
    if named and named != merchant["id"]:
        raise CredentialsError(
            f"The credentials name another merchant than the one whose token it is, {merchant['id']}."
        )
    entries = [entry for entry in (merchant, *locations) if isinstance(entry, Mapping)]
    opened = [parse_instant(entry.get("created_at")) for entry in entries]
    return Account(
        account_id=merchant["id"],
        name=str(merchant.get("business_name") or merchant["id"]),
        locations=tuple(filter(None, map(locate, locations))),
        opened_at=min(filter(None, opened), default=_FOUNDED_AT),
    )


def locate(document: Document) -> Location | None:
    """The shop in a location document; None where it has no id."""
    external_id = document.get("id") if isinstance(document, Mapping) else None
    if not isinstance(external_id, str):
        return None
    return Location(external_id, str(document.get("name") or external_id))


def pages_by_body(http: VendorHttp, path: str, body: Mapping[str, Any]) -> Iterator[Answer]:
    """Follows the cursor of a search; it goes into the body, beside the same query."""
    cursor = None
    while True:
        answer = http.post(path, {**body, "cursor": cursor} if cursor else body)
        yield answer
        cursor = answer.body.get("cursor") if isinstance(answer.body, dict) else None
        if not cursor:
            return


def items(body: Any, key: str) -> list[Any]:
    """What is listed under `key`, objects as a rule; an absent key is an empty list, as Square writes it.

    Raises:
        VendorAnswerError: what is there is no list, or errors came in its place.
    """
    found = body.get(key, []) if isinstance(body, dict) else None
    if not isinstance(found, list) or (key not in body and body.get("errors")):
        raise VendorAnswerError(f"Square's answer has no list of {key}.")
    return found
