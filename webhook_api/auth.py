"""Access tokens: JWTs that say who asks, for which tenant, and what they may do.

Development signs with HS256 and a key of its own in POS_HOME, readable by its user alone.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt
from filelock import FileLock

from pos_core.errors import AccessTokenError, SettingsError
from pos_core.settings import Settings, prepare_home

READ, WRITE, ADMIN, OPERATOR = "pos:read", "pos:write", "pos:admin", "pos:operator"
SCOPES = (READ, WRITE, ADMIN, OPERATOR)
_KEY_BYTES = 32


@dataclass(frozen=True)
class Principal:
    """Who a token speaks for."""

    subject: str
    tenant_id: UUID
    scopes: frozenset[str]


def mint(settings: Settings, tenant_id: UUID, scopes: frozenset[str], lifetime: timedelta) -> str:
    """A development token for a tenant.

    Raises:
        SettingsError: this is production, where tokens come from the issuer.
    """
    if settings.environment == "production":
        raise SettingsError("In production access tokens come from the issuer behind POS_JWKS_URL.")
    now = datetime.now(UTC)
    claims = {
        "iss": settings.jwt_issuer,
        "aud": settings.jwt_audience,
        "sub": "development",
        "jti": str(uuid4()),
        "iat": now,
        "exp": now + lifetime,
        "tenant_id": str(tenant_id),
        "scope": " ".join(sorted(scopes)),
    }
    return jwt.encode(claims, _development_key(settings), algorithm="HS256")


def verify(settings: Settings, token: str) -> Principal:
    """Who a token speaks for.

    Raises:
        AccessTokenError: it is expired, of another issuer or audience, or not signed as it must be.
    """
    try:
        claims = jwt.decode(
            token,
            _development_key(settings),
            algorithms=["HS256"],
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        return Principal(str(claims["sub"]), UUID(claims["tenant_id"]), frozenset(claims["scope"].split()))
    except (jwt.InvalidTokenError, KeyError, ValueError, AttributeError, TypeError):
        raise AccessTokenError("The access token is not valid; ask for a new one.") from None


def _development_key(settings: Settings) -> bytes:
    path = prepare_home(settings) / "token.key"
    with FileLock(f"{path}.lock", mode=0o600):
        if not path.exists():
            path.touch(mode=0o600)
            path.write_bytes(secrets.token_bytes(_KEY_BYTES))
        return path.read_bytes()
