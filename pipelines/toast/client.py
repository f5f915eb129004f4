"""Toast's HTTP API: the machine-client login, what its errors mean, and how its lists page.

Source: Toast authentication API 1.0.0, orders API 2.9.0; developer guide, pages authentication, token
refresh, rate limiting, responses and errors, response data pagination.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from pipelines.connector import Account, Credentials, Document
from pipelines.credentials import Keeper, RenewingAuth
from pipelines.http import Answer, VendorHttp
from pipelines.toast.documents import locate, parse_instant
from pipelines.toast.settings import machine_client
from pos_core.errors import (
    CredentialsError,
    PosError,
    VendorAnswerError,
    VendorAuthError,
    VendorRateLimitError,
    VendorRequestError,
    VendorScopeError,
    VendorUnreachableError,
)

RESTAURANT_HEADER = "Toast-Restaurant-External-ID"
REQUESTS_PER_SECOND = 20  # of one location; the limit is shared by all endpoints without one of their own
DELETED = "deleted"
"""Code of the refusal for a restaurant that is no more; any other refusal has the HTTP status as its code."""

EARLIEST = datetime(2015, 12, 2, tzinfo=UTC)  # orders are only listed after the first of the month
_LOGIN_PATH = "/authentication/v1/authentication/login"
_LOGINS = 2
_LOGIN_PERIOD = timedelta(hours=1)
_RENEWAL = timedelta(seconds=60)  # before that a login answers the same token with the same end
_NEXT_LINK = re.compile(r'<([^<>]*)>[^<>]*;\s*rel\s*=\s*"?next"?', re.IGNORECASE)


class MachineToken:
    """The access token of one machine client, shared by all configurations and processes that use it.

    Args:
        keeper: where the token is kept, and who may renew it.
        base_url: the operator's address of Toast; a token is only ever sent where it was given out.

    Source: developer guide, authentication rate limit: two logins an hour, one token for all locations.
    """

    def __init__(self, keeper: Keeper, base_url: str) -> None:
        self._keeper = keeper
        self._base_url = base_url
        self._known: Mapping[str, Any] = {}

    def current(self) -> str:
        """A token that is good for a minute at least.

        Raises:
            VendorAuthError: Toast does not accept client id and secret.
            VendorRateLimitError: both logins of this hour are used up.
        """
        if not _is_fresh(self._known):
            self._take()
        return str(self._known["access_token"])

    def renewed(self, refused: str) -> str:
        """Another token than the one that Toast has refused; see `current` for what it raises."""
        if self._known.get("access_token") == refused:
            self._take(refused)
        return str(self._known["access_token"])

    def _take(self, refused: str | None = None) -> None:
        client_id, client_secret = machine_client(self._keeper.current)
        told_apart_by = "\0".join((self._base_url, client_id, client_secret))
        key = "toast:" + hashlib.sha256(told_apart_by.encode()).hexdigest()

        failures: list[PosError] = []

        def ask(known: Mapping[str, Any]) -> dict[str, Any]:
            logins = _logins_with_this_one(known)
            try:
                return {**_log_in(self._base_url, client_id, client_secret), "logins": logins}
            except VendorUnreachableError:
                raise
            except PosError as failure:  # answered, so that it counts among those of the hour
                failures.append(failure)
                return {"logins": logins}

        token = self._keeper.shared(key, None, ask)
        if not failures and (not _is_fresh(token) or token.get("access_token") == refused):
            token = self._keeper.shared(key, token, ask)
        if failures:
            raise failures[0]
        self._known = token


def open_http(base_url: str, keeper: Keeper) -> VendorHttp:
    """A client for the restaurants of one Toast account."""
    token = MachineToken(keeper, base_url)
    auth = RenewingAuth(token.current, token.renewed)
    return VendorHttp("Toast", base_url, {}, read_error, REQUESTS_PER_SECOND, auth)


def read_error(status: int, body: Any) -> PosError:
    """The error for a refusal; Toast puts `status`, `code`, `message` and `requestId` in its body."""
    details = body if isinstance(body, Mapping) else {}
    request_id = str(details.get("requestId") or "")[:80]
    said = f" (request {request_id})" if request_id else ""
    if status == 401:
        return VendorAuthError(f"Toast does not accept the access token{said}.")
    if status == 403:
        return VendorScopeError(
            f"Toast does not allow this{said}: the restaurant is not connected (after connecting it can take "
            "a quarter of an hour), or the credential lacks orders:read, config:read or restaurants:read."
        )
    if "has been deleted" in str(details.get("message")):
        return VendorRequestError(f"Toast says that the restaurant has been deleted{said}.", DELETED)
    code = str(details.get("code") or "")[:20]
    refusal = f"Toast refused a request with HTTP {status} {code}".rstrip()
    return VendorRequestError(f"{refusal}{said}.", str(status))


def next_page(answer: Answer) -> str | None:
    """The number of the next page, from the `Link` header; None on the last one.

    The rest of the link is what was asked already: an answer cannot send the token to another host or path,
    and a time in it whose plus is not encoded does no harm.

    Raises:
        VendorAnswerError: the link names no page.

    Source: developer guide, paginating response data: rel first, self, prev and next; there is no total.
    """
    match = _NEXT_LINK.search(answer.headers.get("link", ""))
    if match is None:
        return None
    page: str | None = httpx.URL(match.group(1)).params.get("page")
    if not page:
        raise VendorAnswerError("Toast's answer links to a next page without saying which.")
    return page


def token_pages(http: VendorHttp, path: str, params: Mapping[str, str], restaurant: str) -> Iterator[Answer]:
    """The pages of a configuration list, by the token in `Toast-Next-Page-Token`."""
    token = None
    while True:
        asked = {**params, "pageToken": token} if token else params
        answer = http.get(path, asked, {RESTAURANT_HEADER: restaurant})
        yield answer
        token = answer.headers.get("toast-next-page-token")
        if not token:
            return


def items(body: Any) -> list[Any]:
    """The objects of an answer that is a list.

    Raises:
        VendorAnswerError: it is none.
    """
    if not isinstance(body, list):
        raise VendorAnswerError("Toast answered with something that is no list.")
    return body


def confirm(http: VendorHttp, credentials: Credentials) -> Account:
    """Asks which management group the restaurants belong to, and what they are called.

    Raises:
        CredentialsError: they belong to several groups, or none are named and the account may not list them.
        VendorAuthError: the credential is not accepted, or may not read a restaurant.
        VendorAnswerError: an answer is not as documented.
    """
    answers = [restaurant(http, guid).body for guid in find_restaurants(http, credentials)]
    groups = {group_of(each) for each in answers}
    if len(groups) != 1:
        raise CredentialsError(
            "Toast: restaurant_guids names restaurants of several management groups; connect each alone."
        )
    locations = tuple(filter(None, map(locate, answers)))
    names = [general_of(each).get("name") for each in answers]
    return Account(
        account_id=groups.pop(),
        name=next((name for name in names if isinstance(name, str) and name), locations[0].name),
        locations=locations,
        opened_at=max(min(map(_opened_at, answers)), EARLIEST),
    )


def find_restaurants(http: VendorHttp, credentials: Credentials) -> list[str]:
    """The guids of the restaurants to read: those that are named, else all that the credential may read.

    Raises:
        CredentialsError: none are named and Toast does not list any for this credential.

    Source: restaurants API 1.0.0 for a management group, which asks for one of its restaurants in the header;
    partners API 1.0.1 for a partner's credential.
    """
    named = credentials.get("restaurant_guids")
    if named:
        return [str(guid) for guid in named]
    member = credentials.get("group_restaurant_guid")
    if member:
        group = group_of(restaurant(http, str(member)).body)
        path = f"/restaurants/v1/groups/{quote(group, safe='')}/restaurants"
        listed = items(http.get(path, headers={RESTAURANT_HEADER: str(member)}).body)
        return _guids(listed, "guid")
    try:
        listed = items(http.get("/partners/v1/restaurants").body)
    except (VendorAuthError, VendorRequestError):
        listed = []
    known = _guids(listed, "restaurantGuid")
    if not known:
        raise CredentialsError(
            "Toast: restaurant_guids is missing, and only a partner's credential can do without; the GUIDs "
            "are in the e-mail that came with the credential."
        )
    return known


def _guids(listed: list[Any], key: str) -> list[str]:
    """The guids of a list of restaurants, without those that are gone."""
    objects = [each for each in listed if isinstance(each, Mapping) and each.get("deleted") is not True]
    return sorted({each[key] for each in objects if isinstance(each.get(key), str) and each[key]})


def restaurant(http: VendorHttp, guid: str) -> Answer:
    """One restaurant, a closed one too.

    Raises:
        VendorAnswerError: the answer is another one than was asked for.
    """
    path = f"/restaurants/v1/restaurants/{quote(guid, safe='')}"
    answer = http.get(path, {"includeArchived": "true"}, {RESTAURANT_HEADER: guid})
    if not isinstance(answer.body, Mapping) or answer.body.get("guid") != guid:
        raise VendorAnswerError(f"Toast did not answer with restaurant {guid}.")
    return answer


def general_of(document: Document) -> Mapping[str, Any]:
    """The general part of a restaurant; empty where there is none."""
    general = document.get("general")
    return general if isinstance(general, Mapping) else {}


def group_of(document: Document) -> str:
    """The management group of a restaurant.

    Raises:
        VendorAnswerError: it says none.
    """
    group = general_of(document).get("managementGroupGuid")
    if not isinstance(group, str) or not group:
        raise VendorAnswerError("Toast did not say which management group the restaurant belongs to.")
    return group


def _opened_at(document: Document) -> datetime:
    """A month before the first business day, for orders that were made in preparation."""
    text = str(general_of(document).get("firstBusinessDate"))
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC) - timedelta(days=31)
    except (ValueError, OverflowError):
        return EARLIEST


def _logins_with_this_one(known: Mapping[str, Any]) -> list[str]:
    """When logins were sent within the last hour, the one that is sent now included.

    Raises:
        VendorRateLimitError: there were two within an hour.
    """
    now = datetime.now(UTC)
    logins = [text for text in known.get("logins", ()) if _is_recent(text, now)]
    if len(logins) >= _LOGINS:
        raise VendorRateLimitError(
            "Toast allows two logins an hour and both are used up; the next one is tried after "
            f"{datetime.fromisoformat(min(logins)) + _LOGIN_PERIOD:%H:%M} UTC."
        )
    return [*logins, now.isoformat()]


def _log_in(base_url: str, client_id: str, client_secret: str) -> dict[str, Any]:
    """Asks for a token once; a login that fails is never repeated, for it counts like one that does not.

    Raises:
        VendorAuthError: Toast does not accept client id and secret.
        VendorError: see `VendorHttp`.
    """
    body = {
        "clientId": client_id,
        "clientSecret": client_secret,
        "userAccessType": "TOAST_MACHINE_CLIENT",
    }
    with VendorHttp("Toast", base_url, {}, read_error, per_second=1, attempts=1) as http:
        try:
            answer = http.post(_LOGIN_PATH, body)
        except (VendorAuthError, VendorRequestError):
            raise VendorAuthError(
                "Toast does not accept the client id and secret; check them and the TOAST_BASE_URL."
            ) from None
    token = answer.body.get("token") if isinstance(answer.body, Mapping) else None
    access_token = token.get("accessToken") if isinstance(token, Mapping) else None
    remaining = token.get("expiresIn") if isinstance(token, Mapping) else None
    if not isinstance(access_token, str) or not isinstance(remaining, int):
        raise VendorAnswerError("Toast answered the login without a token.")
    expires_at = answer.asked_at + timedelta(seconds=remaining)
    return {"access_token": access_token, "expires_at": expires_at.isoformat()}


def _is_recent(text: str, now: datetime) -> bool:
    at = parse_instant(text)
    return at is not None and at > now - _LOGIN_PERIOD


def _is_fresh(token: Mapping[str, Any]) -> bool:
    expires_at = parse_instant(token.get("expires_at"))
    return "access_token" in token and expires_at is not None and datetime.now(UTC) < expires_at - _RENEWAL
