"""Lightspeed's HTTP API: what its errors mean, how its lists page, whose credentials they are.

Source: Lightspeed Restaurant K-Series API, Financial V2 and V1, version 1.0.0 as of August 2026.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pipelines.connector import Account, Credentials
from pipelines.credentials import Keeper, NewKeeper, RenewingAuth
from pipelines.http import Answer, VendorHttp
from pipelines.lightspeed import oauth
from pipelines.lightspeed.documents import (
    BUSINESS_ID,
    LOCATION_ID,
    locate,
    location_documents,
    parse_instant,
)
from pos_core.errors import (
    CredentialsError,
    PosError,
    VendorAnswerError,
    VendorAuthError,
    VendorRequestError,
    VendorScopeError,
)

BUSINESSES_PER_PAGE = 1000
_REQUESTS_PER_SECOND = 10  # Lightspeed publishes no figure; it answers 429 when it is too much
# The API holds nothing from before the move from iKentoo; a location's own beginning its answers tell.
_OLDEST_SALE_AT = datetime(2018, 1, 1, tzinfo=UTC)
_EARLIEST = re.compile(r"not operational on the provided date.*?after:\s*([0-9T:.+Zz-]+)", re.DOTALL)
_NOT_FOUND = re.compile(r"Business Location Not found for (\d+)")


class BeforeOpeningError(VendorRequestError):
    """A location was asked for sales from before it existed; `earliest` is the first instant it has."""

    def __init__(self, earliest: datetime) -> None:
        super().__init__(
            f"Lightspeed has no sales of the business location from before {earliest.isoformat()}.",
            "before_opening",
        )
        self.earliest = earliest


class LightspeedHttp(VendorHttp):
    """A client for one connection that can renew its tokens ahead of any need."""

    def __init__(self, base_url: str, keeper: Keeper) -> None:
        self._keeper = keeper
        self._has_renewed = False
        auth = RenewingAuth(self._token, self._renewed)
        super().__init__("Lightspeed", base_url, {}, read_error, _REQUESTS_PER_SECOND, auth)

    def prove_refresh_token(self) -> None:
        """Renews once, so that a refresh token that was used elsewhere is found before it is kept.

        One that is kept already stays as it is, for each renewal proves it.

        Raises:
            VendorAuthError: Lightspeed does not accept it.
        """
        if isinstance(self._keeper, NewKeeper) and not self._has_renewed:
            self._renew()

    def _token(self) -> str:
        if oauth.expires_soon(self._keeper.current, datetime.now(UTC)):
            self._renew()
        return str(self._keeper.current["access_token"])

    def _renewed(self, refused: str) -> str:
        if self._keeper.current["access_token"] == refused:
            self._renew()
        return str(self._keeper.current["access_token"])

    def _renew(self) -> None:
        self._keeper.renew(self._keeper.current, oauth.refresh)
        self._has_renewed = True


def open_http(base_url: str, keeper: Keeper) -> VendorHttp:
    """A client for one Lightspeed connection."""
    return LightspeedHttp(base_url, keeper)


def read_error(status: int, body: Any) -> PosError:
    """The error for a refusal; its text is found in any of Lightspeed's shapes, which may also be empty.

    Source: Financial V2 (400 with `error`), Spring's `message` of V1, the gateway's `errors[{code, title}]`.
    """
    said = _said(body)
    if status == 401:
        return VendorAuthError("Lightspeed does not accept the access token; connect the account again.")
    if status == 403:
        return VendorScopeError(
            "The access token may not read this business location; it needs the scope financial-api and the "
            "consent of this business."
        )
    unknown = _NOT_FOUND.search(said)
    if unknown:
        return VendorRequestError(
            f"Lightspeed knows no business location {unknown[1]} for these credentials; check "
            "business_location_ids.",
            "unknown_location",
        )
    before = _EARLIEST.search(said)
    earliest = parse_instant(before[1].rstrip(".")) if before else None
    if status == 400 and earliest is not None:
        return BeforeOpeningError(earliest)
    words = " ".join(said.split())[:200]
    return VendorRequestError(
        f"Lightspeed refused a request with HTTP {status}{': ' if words else ''}{words}."
    )


def confirm(http: VendorHttp, credentials: Credentials) -> Account:
    """Asks which business and which of its locations the credentials are for.

    Raises:
        CredentialsError: several businesses are visible and none is chosen, or the chosen locations are not
            visible or belong to several businesses.
        VendorAuthError: a token is not accepted.
        VendorAnswerError: the answer is not as documented.
    """
    visible = [document for _, documents in businesses(http) for document in documents]
    chosen = _chosen(visible, credentials)
    ids = sorted({str(document[BUSINESS_ID]) for document in chosen})
    if not ids:
        raise CredentialsError("Lightspeed: these credentials see no business location.")
    if len(ids) > 1:
        raise CredentialsError(
            f"Lightspeed: these credentials see several businesses ({', '.join(ids)}); a configuration is "
            "for one of them. Name its locations in business_location_ids: "
            + "; ".join(f"{each}: {', '.join(_locations_of(visible, each))}" for each in ids)
            + "."
        )
    if isinstance(http, LightspeedHttp):
        # Last, so that a mistake in the file does not cost a refresh token.
        http.prove_refresh_token()
    return Account(
        account_id=ids[0],
        name=str(chosen[0].get("businessName") or ids[0]),
        locations=tuple(filter(None, map(locate, chosen))),
        opened_at=_OLDEST_SALE_AT,
    )


def businesses(http: VendorHttp) -> Iterator[tuple[Answer, list[dict[str, Any]]]]:
    """All pages of what the token may see, each with one document per business location.

    Raises:
        VendorAnswerError: the answer is not as documented.
    """
    page = 0
    while True:
        params = {"page": str(page), "size": str(BUSINESSES_PER_PAGE)}
        answer = http.get("/f/data/businesses", params)
        embedded = answer.body.get("_embedded", {}) if isinstance(answer.body, Mapping) else None
        listed = embedded.get("businessList", []) if isinstance(embedded, Mapping) else None
        if not isinstance(listed, list):
            raise VendorAnswerError("Lightspeed's answer has no list of businesses.")
        yield answer, [document for business in listed for document in location_documents(business)]
        if len(listed) < BUSINESSES_PER_PAGE:
            return
        page += 1


def sales_of(body: Any) -> list[Any]:
    """The accounts in an answer of Financial V2 or V1.

    Raises:
        VendorAnswerError: there is no list of them.
    """
    found = body.get("sales", []) if isinstance(body, Mapping) else None
    if not isinstance(found, list):
        raise VendorAnswerError("Lightspeed's answer has no list of sales.")
    return found


def is_chosen(document: Mapping[str, Any], credentials: Credentials) -> bool:
    """Whether the customer wants this business location; all, where none is named."""
    wanted = credentials.get("business_location_ids")
    return wanted is None or str(document.get(LOCATION_ID)) in wanted


def _chosen(visible: list[dict[str, Any]], credentials: Credentials) -> list[dict[str, Any]]:
    wanted = credentials.get("business_location_ids")
    if wanted is not None:
        seen = {str(document.get(LOCATION_ID)) for document in visible}
        unknown = [each for each in wanted if each not in seen]
        if unknown:
            raise CredentialsError(
                f"Lightspeed: these credentials do not see the business locations {', '.join(unknown)}."
            )
    return [document for document in visible if is_chosen(document, credentials) and locate(document)]


def _locations_of(documents: list[dict[str, Any]], business_id: str) -> list[str]:
    return [str(each[LOCATION_ID]) for each in documents if str(each[BUSINESS_ID]) == business_id]


def _said(body: Any) -> str:
    """The vendor's own words in a refusal."""
    if not isinstance(body, Mapping):
        return ""
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else {}
    words = (body.get("message"), body.get("error_description"), first.get("title"), body.get("error"))
    return next((each for each in words if isinstance(each, str) and each), "")
