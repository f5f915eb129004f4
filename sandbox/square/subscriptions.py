"""The Webhook Subscriptions API: whoever owns the application says where its events go.

A subscription belongs to the application and delivers for every seller. So it takes the owner's personal
access token; an OAuth token is refused whatever its scopes. Subscriptions are remembered until the sandbox
ends.

Source: Square API 2025-08-20, WebhookSubscriptions; developer.squareup.com/docs/webhooks, page
webhook-subscriptions-api; forum t/9068 for the refusal. Unlike the vendor, http on loopback is allowed.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.clock import moment_of
from sandbox.ids import opaque, stable_uuid
from sandbox.square.errors import VendorError, invalid
from sandbox.square.names import Json
from sandbox.square.oauth import OWNER_ACCESS_TOKEN
from sandbox.square.streams import encode
from sandbox.square.webhooks import EVENT_TYPES, trial_notice
from sandbox.webhooks import Sender, Target, is_loopback

if TYPE_CHECKING:
    from sandbox.square.server import SquareServer

_PATH = "/v2/webhooks/subscriptions"
_LONGEST_NAME, _LONGEST_KEY, _LONGEST_LIST = 64, 45, 100
_INTRODUCED = "2020-02-26"


class Subscriptions:
    """Answers the routes for a server, whose hooks it fills."""

    def __init__(self, server: SquareServer) -> None:
        """Has no subscription yet."""
        self.server = server
        self._known: dict[str, Json] = {}
        self._answers: dict[str, tuple[Json, Json]] = {}
        self._keys = 0

    def routes(self) -> list[Route]:
        """Every route of this API."""
        table: list[tuple[str, str, Callable[[Request], Awaitable[Json]]]] = [
            ("/v2/webhooks/event-types", "GET", self.event_types),
            (_PATH, "POST", self.create),
            (_PATH, "GET", self.list_all),
            (f"{_PATH}/{{key}}", "GET", self.retrieve),
            (f"{_PATH}/{{key}}", "PUT", self.update),
            (f"{_PATH}/{{key}}", "DELETE", self.delete),
            (f"{_PATH}/{{key}}/test", "POST", self.test),
            (f"{_PATH}/{{key}}/signature-key", "POST", self.rotate),
        ]
        return [Route(path, self._endpoint(handler), methods=[method]) for path, method, handler in table]

    async def event_types(self, request: Request) -> Json:
        """All types there are."""
        metadata = [
            {"event_type": each, "api_version_introduced": _INTRODUCED, "release_status": "PUBLIC"}
            for each in EVENT_TYPES
        ]
        return {"event_types": list(EVENT_TYPES), "metadata": metadata}

    async def create(self, request: Request) -> Json:
        """A new subscription; only this answer and that of a single one have its signature key."""
        body = await _body(request)
        return self._once(body, lambda: self._create(body))

    async def list_all(self, request: Request) -> Json:
        """All subscriptions, disabled ones on demand, without their keys."""
        query = request.query_params
        limit = _number(query.get("limit", str(_LONGEST_LIST)), 1, _LONGEST_LIST, "limit")
        start = _number(query.get("cursor", "0"), 0, len(self._known), "cursor")
        wants_all = query.get("include_disabled") == "true"
        chosen = [each for each in self._known.values() if each["enabled"] or wants_all]
        answer: Json = {"subscriptions": [_without_key(each) for each in chosen[start : start + limit]]}
        if start + limit < len(chosen):
            answer["cursor"] = str(start + limit)
        return answer

    async def retrieve(self, request: Request) -> Json:
        """One subscription with its key."""
        return {"subscription": self._find(request)}

    async def update(self, request: Request) -> Json:
        """Changes what is given and leaves the rest."""
        known, given = self._find(request), _subscription(await _body(request))
        known.update(self._checked({**known, **given}), updated_at=self._now())
        self._aim(known)
        return {"subscription": _without_key(known)}

    async def delete(self, request: Request) -> Json:
        """Ends a subscription."""
        key = self._find(request)["id"]
        del self._known[key]
        self.server.hooks.targets.pop(key, None)
        return {}

    async def test(self, request: Request) -> Json:
        """Sends one event, and says what the address has answered."""
        known, body = self._find(request), await _body(request)
        event_type = body.get("event_type") or known["event_types"][0]
        if event_type not in known["event_types"]:
            raise invalid("INVALID_VALUE", "The subscription does not have this event type.", "event_type")
        notice = trial_notice(event_type, self.server.clock.now())
        sender: Sender = request.app.state.sender
        hooks = self.server.hooks
        status = await sender.try_once(hooks, hooks.targets[known["id"]], notice)
        result = {
            "id": notice.event_id,
            "status_code": 504 if status is None else status,
            "payload": notice.body(1).decode(),
            "created_at": self._now(),
            "updated_at": self._now(),
        }
        return {"subscription_test_result": result}

    async def rotate(self, request: Request) -> Json:
        """A new signature key, which is used from now on."""
        known, body = self._find(request), await _body(request)

        def replace() -> Json:
            known["signature_key"] = self._new_key()
            known["updated_at"] = self._now()
            self._aim(known)
            return {"signature_key": known["signature_key"]}

        return self._once({**body, "of": known["id"]}, replace)

    def _create(self, body: Json) -> Json:
        given = self._checked(_subscription(body))
        number = len(self._answers)
        now = self._now()
        known: Json = {
            "id": "wbhk_" + stable_uuid(self._seed, "webhook", number, len(self._known)).replace("-", ""),
            **given,
            "signature_key": self._new_key(),
            "created_at": now,
            "updated_at": now,
        }
        self._known[known["id"]] = known
        self._aim(known)
        return {"subscription": dict(known)}

    def _once(self, body: Json, act: Callable[[], Json]) -> Json:
        """Answers a request with the same idempotency key as it was answered before."""
        key = body.get("idempotency_key")
        if key is None:
            return act()
        if not isinstance(key, str) or not 1 <= len(key) <= _LONGEST_KEY:
            raise invalid("VALUE_TOO_LONG", "The key has 1 to 45 characters.", "idempotency_key")
        if key not in self._answers:
            self._answers[key] = (body, act())
        before, answer = self._answers[key]
        if before != body:
            raise invalid("IDEMPOTENCY_KEY_REUSED", "The key was used for another request.")
        return answer

    def _checked(self, given: Json) -> Json:
        """The part of a subscription that a caller decides.

        Raises:
            VendorError: something is missing or of the wrong kind.
        """
        name, url, types = given.get("name", ""), given.get("notification_url"), given.get("event_types")
        if not isinstance(name, str) or len(name) > _LONGEST_NAME:
            raise invalid("VALUE_TOO_LONG", "The name has at most 64 characters.", "subscription.name")
        is_good = isinstance(url, str) and (url.startswith("https://") or is_loopback(url))
        if not is_good:
            raise invalid("INVALID_VALUE", "The address must be https.", "subscription.notification_url")
        if not isinstance(types, list) or not types or not set(map(str, types)) <= set(EVENT_TYPES):
            raise invalid("INVALID_VALUE", "The event types are not known.", "subscription.event_types")
        return {
            "name": name,
            "enabled": given.get("enabled") is not False,
            "event_types": types,
            "notification_url": url,
            "api_version": str(given.get("api_version") or "2026-07-15"),
        }

    def _aim(self, known: Json) -> None:
        """Makes the sender tell whom a subscription names."""
        self.server.hooks.targets[known["id"]] = Target(
            url=known["notification_url"],
            secret=known["signature_key"],
            event_types=frozenset(known["event_types"]),
            is_enabled=known["enabled"],
        )

    @property
    def _seed(self) -> int:
        return self.server.seed

    def _new_key(self) -> str:
        self._keys += 1
        return opaque(22, self._seed, "signature-key", self._keys)

    def _now(self) -> str:
        """A time as this API writes it, which is not how the others do."""
        return moment_of(self.server.clock.now()).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")

    def _find(self, request: Request) -> Json:
        found = self._known.get(str(request.path_params["key"]))
        if found is None:
            raise VendorError(404, "NOT_FOUND", "There is no such subscription.")
        return found

    def _endpoint(
        self, handler: Callable[[Request], Awaitable[Json]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                self._authorize(request.headers.get("authorization", ""))
                content = encode(await handler(request))
            except VendorError as error:
                return Response(encode(error.body()), error.status, media_type="application/json")
            return Response(content, media_type="application/json")

        return answer

    def _authorize(self, authorization: str) -> None:
        """Lets the owner of the application in, and nobody else.

        Raises:
            VendorError: another token.
        """
        if hmac.compare_digest(authorization.encode(), f"Bearer {OWNER_ACCESS_TOKEN}".encode()):
            return
        if self.server.merchant_of_token(authorization) is None:
            raise VendorError(401, "UNAUTHORIZED", "This request could not be authorized.")
        scope = "DEVELOPER_APPLICATION_WEBHOOKS_WRITE"
        raise VendorError(403, "INSUFFICIENT_SCOPES", f"The merchant has not given {scope}.")


def _without_key(known: Json) -> Json:
    return {key: value for key, value in known.items() if key != "signature_key"}


def _subscription(body: Json) -> Json:
    given = body.get("subscription")
    if not isinstance(given, dict):
        raise invalid("MISSING_REQUIRED_PARAMETER", "The subscription is missing.", "subscription")
    return given


def _number(text: str, least: int, most: int, name: str) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise invalid("INVALID_VALUE", f"{name} must be within {least} and {most}.", name)
    return int(text)


async def _body(request: Request) -> Json:
    text = await request.body()
    try:
        body: Any = json.loads(text or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise invalid("EXPECTED_JSON_BODY", "The request body is no JSON object.")
    return body
