"""Configurations of a tenant: listed, made, changed, deleted and tested."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response, status
from pydantic import BeforeValidator, WithJsonSchema

from pos_core.repositories import tenant_configurations
from pos_core.repositories.configurations import Configuration
from webhook_api.auth import OPERATOR
from webhook_api.dependencies import Reader, TenantAccess, Writer
from webhook_api.problems import responses
from webhook_api.schemas.configurations import (
    ConfigurationChangeIn,
    ConfigurationOut,
    ConfigurationPageOut,
    NewConfigurationIn,
    TrialOut,
    shown,
    shown_trial,
    time_of,
)
from webhook_api.schemas.fields import LIMIT_MAX
from webhook_api.services import configurations, keyset, trial
from webhook_api.services.configurations import Caller, Change

router = APIRouter(prefix="/api/v1/tenants/{tenant_id}/pos/configurations", tags=["configurations"])

_TAG = {"ETag": {"description": "For `If-Match` of a change.", "schema": {"type": "string"}}}
_PLACE = {"Location": {"description": "The configuration.", "schema": {"type": "string"}}}
Cursor = Annotated[
    Any,
    BeforeValidator(lambda text: keyset.read_time_and_id(str(text))),
    WithJsonSchema({"type": "string", "maxLength": 200}),
]


@router.get("", summary="List configurations", responses=responses(401, 403, 404, 422, 503))
def list_configurations(
    access: Reader,
    cursor: Annotated[Cursor | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
    include_deleted: Annotated[bool, Query(description="Whether deleted ones are listed too.")] = False,
) -> ConfigurationPageOut:
    """The tenant's connections to its accounts, the oldest first, without secrets."""
    with access.engine.connect() as connection:
        found = tenant_configurations.page(
            connection, access.tenant_id, after=cursor, include_deleted=include_deleted, limit=limit + 1
        )
        listed = found[:limit]
        shops = tenant_configurations.locations(connection, access.tenant_id, [each.id for each in listed])
    last = listed[-1] if len(found) > limit else None
    return ConfigurationPageOut(
        items=[shown(each, shops[each.id]) for each in listed],
        next_cursor=keyset.write(last.created_at.isoformat(), last.id) if last else None,
    )


@router.post(
    "",
    summary="Connect an account",
    status_code=status.HTTP_201_CREATED,
    responses={
        200: {
            "model": ConfigurationOut,
            "description": "The account was connected before; its configuration has these credentials now.",
            "headers": {**_TAG, **_PLACE},
        },
        201: {"headers": {**_TAG, **_PLACE}},
        **responses(400, 401, 403, 404, 409, 422, 502, 503),
    },
)
def create_configuration(
    access: Writer, body: NewConfigurationIn, request: Request, response: Response
) -> ConfigurationOut:
    """Asks the vendor whose credentials these are, and stores them sealed.

    Account and locations are the vendor's answer. An account that the tenant had before is revived, history
    included. Credentials that merely name shops and are used with the operator's own need a token of the
    operator.
    """
    made, existed = configurations.create(
        _caller(access),
        body.pos_system,
        body.name,
        body.credentials,
        time_of(body.day_starts_at),
        body.sync_interval_seconds,
    )
    response.status_code = status.HTTP_200_OK if existed else status.HTTP_201_CREATED
    response.headers["Location"] = request.url_for(
        "get_configuration", tenant_id=access.tenant_id, config_id=made.id
    ).path
    return _answer(access, made, response)


@router.get(
    "/{config_id}",
    summary="Show a configuration",
    responses={200: {"headers": _TAG}, **responses(401, 403, 404, 422, 503)},
)
def get_configuration(access: Reader, config_id: UUID, response: Response) -> ConfigurationOut:
    """One connection, without its secret."""
    with access.engine.connect() as connection:
        found = tenant_configurations.find(connection, access.tenant_id, config_id)
    return _answer(access, found, response)


@router.put(
    "/{config_id}",
    summary="Change a configuration",
    responses={200: {"headers": _TAG}, **responses(400, 401, 403, 404, 409, 412, 422, 502, 503)},
)
def change_configuration(
    access: Writer,
    config_id: UUID,
    body: ConfigurationChangeIn,
    response: Response,
    if_match: Annotated[
        str | None,
        Header(
            max_length=1000, description="The `ETag` that was read; a configuration that is another: 412."
        ),
    ] = None,
) -> ConfigurationOut:
    """Changes what the body names; new credentials must be of the same account.

    Enabling a configuration again asks the vendor and takes its locations, unless one is live elsewhere.
    """
    change = Change(
        name=body.name,
        day_starts_at=time_of(body.day_starts_at),
        sync_interval_seconds=body.sync_interval_seconds,
        status=body.status,
        status_reason=body.status_reason,
        credentials=body.credentials,
    )
    return _answer(access, configurations.change(_caller(access), config_id, change, if_match), response)


@router.delete(
    "/{config_id}",
    summary="Delete a configuration",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(401, 403, 404, 422, 503),
)
def delete_configuration(access: Writer, config_id: UUID) -> None:
    """Destroys the secret and stops syncing; transactions and the audit trail stay.

    Where nobody else uses the account, the access is given up at the vendor as well.
    """
    configurations.delete(_caller(access), config_id)


@router.post(
    "/{config_id}/test", summary="Test a configuration", responses=responses(401, 403, 404, 422, 503)
)
def test_configuration(access: Writer, config_id: UUID) -> TrialOut:
    """Asks the vendor with the credentials that are stored, and says in plain words what is wrong."""
    return shown_trial(trial.try_out(_caller(access), config_id))


def _caller(access: TenantAccess) -> Caller:
    is_operator = OPERATOR in access.principal.scopes
    return Caller(access.tenant_id, access.engine, access.vault, access.actor, is_operator)


def _answer(access: TenantAccess, configuration: Configuration, response: Response) -> ConfigurationOut:
    response.headers["ETag"] = configurations.tag(configuration)
    with access.engine.connect() as connection:
        shops = tenant_configurations.locations(connection, access.tenant_id, [configuration.id])
    return shown(configuration, shops[configuration.id])
