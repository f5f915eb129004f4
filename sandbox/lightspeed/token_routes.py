"""Token services of both generations: consent and tokens.

Source: K-Series developer portal, V1 and V2 authentication, read in 2026-11.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.lightspeed.chains import Generation
from sandbox.lightspeed.errors import VendorError, grant
from sandbox.lightspeed.names import encode
from sandbox.lightspeed.oauth import TokenDesk

REALM = "/realms/k-series/protocol/openid-connect"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
Endpoint = Callable[[Request], Awaitable[Response]]


class TokenRoutes:
    """Answers both token services for a desk."""

    def __init__(self, desk: TokenDesk) -> None:
        """Answers for a desk."""
        self.desk = desk

    def routes(self) -> list[Route]:
        """Consent and tokens, of both generations."""
        return [
            Route("/oauth/authorize", self._authorize("V1"), methods=["GET"]),
            Route("/oauth/token", self._token("V1"), methods=["POST"]),
            Route(f"{REALM}/auth", self._authorize("V2"), methods=["GET"]),
            Route(f"{REALM}/token", self._token("V2"), methods=["POST"]),
        ]

    def _authorize(self, service: Generation) -> Endpoint:
        async def answer(request: Request) -> Response:
            """Consents on the merchant's behalf and sends the code."""
            given = request.query_params
            target = given.get("redirect_uri", "")
            try:
                if given.get("response_type") != "code":
                    raise grant(400, "invalid_request", "Missing parameter: response_type")
                if not _may_redirect(target):
                    raise grant(400, "invalid_request", "Invalid parameter: redirect_uri")
                challenge = given.get("code_challenge") if service == "V2" else None
                if challenge is not None and given.get("code_challenge_method") != "S256":
                    raise grant(400, "invalid_request", "Invalid parameter: code challenge method")
                code = self.desk.make_code(given.get("client_id", ""), target, service, challenge)
            except VendorError as error:
                return _json(error.status, error.body)
            fields = {"code": code} | ({"state": given["state"]} if "state" in given else {})
            joint = "&" if "?" in target else "?"
            return RedirectResponse(f"{target}{joint}{urlencode(fields)}", 302)

        return answer

    def _token(self, service: Generation) -> Endpoint:
        async def answer(request: Request) -> Response:
            """Gives tokens; the older service reads the URL alone, the newer the form alone."""
            given: Mapping[str, str] = request.query_params
            if service == "V2":
                given = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
            authorization = request.headers.get("authorization", "")
            try:
                return _json(200, self.desk.exchange(authorization, given, service))
            except VendorError as error:
                return _json(error.status, error.body)

        return answer


def _json(status: int, body: object) -> Response:
    return Response(encode(body), status, {"Cache-Control": "no-store"}, "application/json")


def _may_redirect(target: str) -> bool:
    """Whether an address is safe to send a code to: by TLS, or on this machine."""
    parts = urlsplit(target)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
