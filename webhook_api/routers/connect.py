"""Connecting by login: where the browser is sent, and the one address that vendors send it back to."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Query, Request, Response, status
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from pos_core.errors import PosError
from pos_core.repositories.audit import Actor
from pos_core.settings import get_settings
from pos_core.vault import load_vault
from webhook_api import pages, problems
from webhook_api.auth import OPERATOR
from webhook_api.dependencies import Writer
from webhook_api.problems import responses
from webhook_api.schemas.configurations import PosSystem
from webhook_api.schemas.connect import ConnectedOut, LoginOut
from webhook_api.schemas.fields import Words
from webhook_api.services import connect_state, login
from webhook_api.services.configurations import Caller
from webhook_api.services.login import Returned

router = APIRouter(tags=["connect"])

_HTML = {"text/html": {"schema": {"type": "string"}}}
# The address has a code in it, which nobody else should learn.
_QUIET = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@router.get(
    "/api/v1/tenants/{tenant_id}/pos/connect/{pos_system}",
    summary="Begin to connect by login",
    response_model=LoginOut,
    responses={
        200: {"headers": {"Set-Cookie": {"schema": {"type": "string"}}}},
        303: {"description": "To the vendor's login page, for browsers (`Accept: text/html`)."},
        **responses(401, 403, 404, 422, 503),
    },
)
def begin_login(
    access: Writer,
    pos_system: Annotated[PosSystem, Path(description="Which POS.")],
    name: Annotated[Words, Query(description="What to call the configuration.", examples=["Corner bakery"])],
    request: Request,
) -> Response:
    """Gives the address of the vendor's login page, and the browser a cookie without which it cannot end.

    The login has to end within ten minutes, in the same browser, and can be ended once.
    """
    is_operator = OPERATOR in access.principal.scopes
    caller = Caller(access.tenant_id, access.engine, access.vault, access.actor, is_operator)
    begun = login.begin(caller, pos_system, name)
    response: Response
    if _is_browser(request):
        response = RedirectResponse(begun.authorize_url, status.HTTP_303_SEE_OTHER)
    else:
        body = LoginOut(authorize_url=begun.authorize_url, expires_at=begun.expires_at)
        response = JSONResponse(body.model_dump(mode="json"))
    response.headers.update(_QUIET)
    address = urlsplit(login.redirect_uri())
    response.set_cookie(
        begun.cookie,
        begun.nonce,
        max_age=int(connect_state.LIFETIME.total_seconds()),
        path=address.path,
        secure=address.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(
    login.CALLBACK_PATH,
    summary="End to connect by login",
    response_model=ConnectedOut,
    responses={
        200: {"description": "The account is connected.", "content": _HTML},
        **{
            code: {**answer, "content": {**answer["content"], **_HTML}}
            for code, answer in responses(400, 409, 422, 502, 503).items()
        },
    },
)
def end_login(
    request: Request,
    state: Annotated[str, Query(max_length=connect_state.LONGEST)] = "",
    code: Annotated[str | None, Query(max_length=2000)] = None,
    error: Annotated[str | None, Query(max_length=200, description="The vendor's reason to say no.")] = None,
) -> Response:
    """Where vendors send the browser back to; it needs no token, for the state says whose login this is.

    The code becomes credentials, which are stored sealed. Browsers get a page, others JSON.
    """
    try:
        vault = load_vault(get_settings())
        begun = connect_state.open_state(vault, state)
        origin = request.client.host if request.client else None
        actor = Actor(begun.actor, origin, getattr(request.state, "request_id", None))
        nonce = request.cookies.get(login.cookie_name(begun))
        made = login.finish(vault, begun, nonce, Returned(code, error), actor)
    except PosError as failure:
        code_of_answer = problems.status_of(failure)
        if _is_browser(request):
            page = pages.page("Not connected", failure.message)
            return HTMLResponse(page, code_of_answer, {**_QUIET, **pages.HEADERS})
        return problems.answer(request, code_of_answer, failure.message, failure.error_class, _QUIET)
    message = f"{made.account_name or made.name} is connected. You may close this page."
    if _is_browser(request):
        return HTMLResponse(pages.page("Connected", message), headers={**_QUIET, **pages.HEADERS})
    body = ConnectedOut(configuration_id=made.id, message=message)
    return JSONResponse(body.model_dump(mode="json"), headers=_QUIET)


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")
