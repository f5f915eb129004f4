"""The audit trail of a tenant."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, WithJsonSchema

from pos_core.repositories import audit
from webhook_api.dependencies import Admin
from webhook_api.problems import responses
from webhook_api.schemas.audit import AuditEntryOut, AuditPageOut
from webhook_api.schemas.fields import LIMIT_MAX
from webhook_api.services import keyset

router = APIRouter(prefix="/api/v1/tenants/{tenant_id}/pos/audit", tags=["audit"])

Cursor = Annotated[
    Any,
    BeforeValidator(lambda text: keyset.read_id(str(text))),
    WithJsonSchema({"type": "string", "maxLength": 200}),
]


@router.get("", summary="Read the audit trail", responses=responses(401, 403, 404, 422, 503))
def list_audit(
    access: Admin,
    configuration_id: Annotated[UUID | None, Query(description="Only what concerns this one.")] = None,
    cursor: Annotated[Cursor | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
) -> AuditPageOut:
    """Who did what to which configuration, the newest first; secrets appear as fingerprints alone."""
    with access.engine.connect() as connection:
        found = audit.listed(
            connection,
            access.tenant_id,
            configuration_id=configuration_id,
            before_id=cursor,
            limit=limit + 1,
        )
    listed = found[:limit]
    return AuditPageOut(
        items=[AuditEntryOut.model_validate(each) for each in listed],
        next_cursor=keyset.write(listed[-1].id) if len(found) > limit else None,
    )
