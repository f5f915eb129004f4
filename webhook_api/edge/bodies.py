"""How long a request's body may be."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webhook_api import problems

LONGEST_BODY_BYTES = 2_000_000
_TOO_LARGE = f"The body is longer than {LONGEST_BODY_BYTES:,} bytes."


class BodyLimit:
    """Refuses a body that is too long: by what it says of itself, or while it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > LONGEST_BODY_BYTES:
            answer = problems.answer(Request(scope), 413, _TOO_LARGE, "too_large", {"Connection": "close"})
            await answer(scope, receive, send)
            return
        received_bytes = 0
        is_answered = False

        async def receive_counted() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > LONGEST_BODY_BYTES and not is_answered:
                # Of the one kind that FastAPI passes on while it reads a body.
                raise HTTPException(413, _TOO_LARGE, {"Connection": "close"})
            return message

        async def send_noted(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        await self._app(scope, receive_counted, send_noted)
