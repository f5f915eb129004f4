"""What endpoints ask for: who calls, and the tenant's part of the database."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Engine

from pos_core.database.connect import tenant_engine
from pos_core.errors import AccessDeniedError, AccessTokenError, UnknownResourceError
from pos_core.repositories.audit import Actor
from pos_core.settings import get_settings
from pos_core.vault import Vault, load_vault
from webhook_api.auth import ADMIN, READ, WRITE, Principal, verify
from webhook_api.edge.rates import take_for_tenant

_bearer = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    description="A JWT with the claims `tenant_id` and `scope`; `pos token` makes one for development.",
)


def get_principal(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Who calls.

    Raises:
        AccessTokenError: there is no token, or it does not hold.
        IssuerError: nobody can say whether it holds.
        TooManyRequestsError: its tenant asks too often.
    """
    if given is None:
        raise AccessTokenError("An access token is missing; send `Authorization: Bearer …`.")
    principal = verify(get_settings(), given.credentials)
    request.state.tenant_id = principal.tenant_id
    take_for_tenant(principal.tenant_id, request.scope["state"])
    return principal


@dataclass(frozen=True)
class TenantAccess:
    """A caller who may do what the endpoint does, for one tenant."""

    tenant_id: UUID
    principal: Principal
    actor: Actor

    @cached_property
    def engine(self) -> Engine:
        """Transactions of it see the tenant's rows alone: the database sees to that."""
        return tenant_engine(self.tenant_id)

    @cached_property
    def vault(self) -> Vault:
        """Seals and opens the tenant's credentials."""
        return load_vault(get_settings())


def allowing(scope: str) -> Callable[..., TenantAccess]:
    """The dependency of an endpoint whose path names a tenant and which needs a scope."""

    def access(
        tenant_id: UUID, request: Request, principal: Annotated[Principal, Depends(get_principal)]
    ) -> TenantAccess:
        if tenant_id != principal.tenant_id:
            raise UnknownResourceError(f"There is no tenant {tenant_id}.")
        if scope not in principal.scopes:
            raise AccessDeniedError(f"The access token has not got the scope {scope}.")
        origin = request.client.host if request.client else None
        actor = Actor(f"token:{principal.subject}", origin, request.state.request_id)
        return TenantAccess(tenant_id, principal, actor)

    return access


Reader = Annotated[TenantAccess, Depends(allowing(READ))]
Writer = Annotated[TenantAccess, Depends(allowing(WRITE))]
Admin = Annotated[TenantAccess, Depends(allowing(ADMIN))]
