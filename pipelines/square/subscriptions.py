"""Square's Webhook Subscriptions API: one subscription of the application delivers for every seller.

Only the application's owner may ask, with the personal access token; an OAuth token is refused whatever its
scopes. A subscription's key is told when it is made, read by itself or replaced, and not in lists.

Source: Square API 2025-08-20, WebhookSubscriptions; developer.squareup.com/docs/webhooks, page
webhook-subscriptions-api; forum t/9068 for the refusal.
"""

from collections.abc import Mapping
from typing import Any

from pipelines.http import VendorHttp
from pipelines.square.client import items
from pipelines.square.oauth import API_VERSION
from pipelines.square.settings import owner_token
from pipelines.webhook import Registration, Subscription, Terms
from pos_core.errors import PosError, VendorAuthError, VendorFaultError, VendorRequestError

_PATH = "/v2/webhooks/subscriptions"
_PER_PAGE = 100
_REQUESTS_PER_SECOND = 5
_ATTEMPTS = 3
_OWNER = (
    "set it to the personal access token of the application's owner, from the credentials page of the "
    "application, production or sandbox as in SQUARE_BASE_URL."
)


def open_http(base_url: str) -> VendorHttp:
    """A client that asks as the application's owner.

    Raises:
        SettingsError: SQUARE_ACCESS_TOKEN is not set.
    """
    headers = {
        "square-version": API_VERSION,
        "authorization": f"Bearer {owner_token().get_secret_value()}",
    }
    return VendorHttp("Square", base_url, headers, _read_error, _REQUESTS_PER_SECOND, attempts=_ATTEMPTS)


def listed(http: VendorHttp) -> list[Subscription]:
    """Every subscription of the application, disabled ones too, without their keys."""
    found: list[Subscription] = []
    params = {"include_disabled": "true", "limit": str(_PER_PAGE)}
    while True:
        body = http.get(_PATH, params).body
        found += [_subscription(each) for each in items(body, "subscriptions")]
        cursor = body.get("cursor")
        if not cursor:
            return found
        params["cursor"] = str(cursor)


def read(http: VendorHttp, external_id: str) -> Subscription:
    """One subscription, with its key as a rule."""
    return _subscription(_object(http.get(f"{_PATH}/{external_id}").body, "subscription"))


def create(http: VendorHttp, terms: Terms, request_key: str) -> Subscription:
    """Makes a subscription, enabled; the same key with the same terms makes none twice.

    Args:
        request_key: at most 45 characters.
    """
    body = {"idempotency_key": request_key, "subscription": _wanted(terms)}
    made = _subscription(_object(http.post(_PATH, body).body, "subscription"))
    if made.key is None:
        raise VendorFaultError("Square's answer to a new subscription has no signature key.")
    return made


def update(http: VendorHttp, external_id: str, terms: Terms) -> Subscription:
    """Brings a subscription to these terms and enables it."""
    answer = http.put(f"{_PATH}/{external_id}", {"subscription": _wanted(terms)})
    return _subscription(_object(answer.body, "subscription"))


def rotate(http: VendorHttp, external_id: str, request_key: str) -> str:
    """Replaces the signature key; Square signs with the new one from now on and knows no overlap."""
    answer = http.post(f"{_PATH}/{external_id}/signature-key", {"idempotency_key": request_key})
    key = _key(answer.body if isinstance(answer.body, Mapping) else {})
    if key is None:
        raise VendorFaultError("Square's answer to a new signature key has none in it.")
    return key


def delete(http: VendorHttp, external_id: str) -> None:
    """Ends a subscription; one that is gone already is no error."""
    try:
        http.delete(f"{_PATH}/{external_id}")
    except VendorRequestError as error:
        if error.code != "NOT_FOUND":
            raise


def test(http: VendorHttp, external_id: str, event_type: str) -> int:
    """Has Square send one event; returns the HTTP status with which the address has answered it."""
    answer = http.post(f"{_PATH}/{external_id}/test", {"event_type": event_type})
    status = _object(answer.body, "subscription_test_result").get("status_code")
    if not isinstance(status, int):
        raise VendorFaultError("Square does not say what became of the test event.")
    return status


def _wanted(terms: Terms) -> dict[str, Any]:
    return {
        "name": terms.name,
        "enabled": True,
        "event_types": sorted(terms.event_types),
        "notification_url": terms.url,
        "api_version": terms.version,
    }


def _subscription(content: Any) -> Subscription:
    external_id = content.get("id") if isinstance(content, Mapping) else None
    if not isinstance(external_id, str) or not external_id:
        raise VendorFaultError("Square's answer has a subscription without an id.")
    types = content.get("event_types")
    return Subscription(
        external_id=external_id,
        terms=Terms(
            name=str(content.get("name") or ""),
            url=str(content.get("notification_url") or ""),
            event_types=frozenset(map(str, types)) if isinstance(types, list) else frozenset(),
            version=str(content.get("api_version") or ""),
        ),
        is_enabled=content.get("enabled") is True,
        key=_key(content),
    )


def _key(content: Mapping[str, Any]) -> str | None:
    key = content.get("signature_key")
    return key if isinstance(key, str) and key else None


def _object(body: Any, name: str) -> Mapping[str, Any]:
    found = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(found, Mapping):
        raise VendorFaultError(f"Square's answer has no {name}.")
    return found


def _read_error(status: int, body: Any) -> PosError:
    errors = body.get("errors") if isinstance(body, Mapping) else None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else {}
    code, field = str(first.get("code", "")), str(first.get("field", ""))
    if status == 403:
        return VendorAuthError(
            "Square does not let the token in SQUARE_ACCESS_TOKEN manage webhooks, as it lets no seller's; "
            f"{_OWNER}"
        )
    if status == 401:
        return VendorAuthError(f"Square does not accept the token in SQUARE_ACCESS_TOKEN; {_OWNER}")
    where = f" about {field}" if field else ""
    return VendorRequestError(
        f"Square refused a request for webhooks with {f'HTTP {status} {code}'.strip()}{where}.", code
    )


REGISTRATION = Registration(
    version=API_VERSION,
    open_http=open_http,
    listed=listed,
    read=read,
    create=create,
    update=update,
    rotate=rotate,
    delete=delete,
    test=test,
)
