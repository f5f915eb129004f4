"""Access tokens: JWTs that say who asks, for which tenant, and what they may do.

With POS_JWKS_URL tokens are the issuer's: RS256 or ES256, each by the algorithm of its key. Without it, in
development alone, they are signed with HS256 and a key in POS_HOME that only its user can read.
"""

import logging
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
from jwt import PyJWK

from pos_core.errors import AccessTokenError, SettingsError
from pos_core.settings import Settings, prepare_home
from webhook_api.issuer import IssuerKeys

logger = logging.getLogger(__name__)

READ, WRITE, ADMIN, OPERATOR = "pos:read", "pos:write", "pos:admin", "pos:operator"
SCOPES = (READ, WRITE, ADMIN, OPERATOR)
LONGEST_TOKEN = 8192
"""In characters."""

_DEVELOPMENT_ALGORITHM = "HS256"
_ISSUER_ALGORITHMS = ("RS256", "ES256")
_KEY_BYTES = 32
_LEEWAY_SECONDS = 30
_LONGEST_SUBJECT = 255
_REQUIRED = ["exp", "iss", "aud", "sub"]


@dataclass(frozen=True)
class Principal:
    """Who a token speaks for."""

    subject: str
    tenant_id: UUID
    scopes: frozenset[str]


def mint(settings: Settings, tenant_id: UUID, scopes: frozenset[str], lifetime: timedelta) -> str:
    """A development token for a tenant.

    Raises:
        SettingsError: tokens come from an issuer, as they always do in production.
    """
    if settings.environment == "production" or settings.jwks_url is not None:
        raise SettingsError("Access tokens come from the issuer behind POS_JWKS_URL; ask it for one.")
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
    return jwt.encode(claims, _development_key(prepare_home(settings)), algorithm=_DEVELOPMENT_ALGORITHM)


def verify(settings: Settings, token: str) -> Principal:
    """Who a token speaks for.

    Raises:
        AccessTokenError: it is expired, of another issuer or audience, or not signed as it must be.
        IssuerError: the issuer cannot be asked for its keys.
    """
    try:
        if len(token) > LONGEST_TOKEN:
            raise ValueError
        key, algorithm = _key_for(settings, jwt.get_unverified_header(token))
        claims = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            leeway=_LEEWAY_SECONDS,
            options={"require": _REQUIRED},
        )
        return _principal(claims)
    except jwt.ExpiredSignatureError:
        raise AccessTokenError("The access token has expired; ask for a new one.") from None
    except (jwt.PyJWTError, KeyError, ValueError, AttributeError, TypeError, ArithmeticError, RecursionError):
        raise AccessTokenError("The access token is not valid; ask for a new one.") from None


def _key_for(settings: Settings, header: Mapping[str, Any]) -> tuple[bytes | PyJWK, str]:
    """The key that a token must be signed with and the one algorithm it may be signed by."""
    algorithm = header["alg"]
    if settings.jwks_url is not None:
        # Asked first: a token that cannot hold must not make the issuer's keys be read.
        if algorithm not in _ISSUER_ALGORITHMS:
            raise ValueError
        key = _issuer(settings.jwks_url).key(header["kid"])
        return key, key.algorithm_name
    if settings.environment == "production":
        raise SettingsError("POS_JWKS_URL is required when POS_ENVIRONMENT is production.")
    return _development_key(settings.home_path), _DEVELOPMENT_ALGORITHM


def _principal(claims: Mapping[str, Any]) -> Principal:
    subject, scopes = claims["sub"], claims.get("scope", claims.get("scp", ""))
    # It goes into the audit trail and the log.
    if not (0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()):
        raise ValueError
    named = scopes.split() if isinstance(scopes, str) else scopes
    return Principal(subject, UUID(claims["tenant_id"]), frozenset(SCOPES).intersection(named))


@lru_cache(maxsize=4)
def _issuer(url: str) -> IssuerKeys:
    return IssuerKeys(url)


@lru_cache(maxsize=4)
def _development_key(home: Path) -> bytes:
    """The key of this POS_HOME, made by whoever needs it first; read once in a process's life."""
    path = home / "token.key"
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be used: {error.strerror}.") from None
    if len(key) != _KEY_BYTES:
        raise SettingsError(f"{path} is damaged; delete it and ask for new tokens.")
    return key


def _make_key(path: Path) -> None:
    """Writes the whole key beside its place and links it there, which the first of several does."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid4().hex}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)
            logger.info("Made %s, the key that signs tokens for development.", path)
    finally:
        temporary.unlink()
