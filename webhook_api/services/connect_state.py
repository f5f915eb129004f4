"""The state of a login at a vendor: sealed, since it passes through browsers, and bound to one of them."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from pos_core.errors import ConnectError, VaultError
from pos_core.vault import Vault

LIFETIME = timedelta(minutes=10)
LONGEST = 6000
"""Letters of a state; a name of a hundred letters fits."""

# The vault binds what it seals to two ids; a state is nobody's configuration.
_NOBODY, _PURPOSE = UUID(int=0), uuid5(NAMESPACE_OID, "pos-connect-state")


@dataclass(frozen=True)
class State:
    """A login that was begun.

    Args:
        nonce_hash: of the nonce that the browser keeps in a cookie.
        verifier: of PKCE.
        actor: who began it, for the audit trail.
    """

    id: UUID
    tenant_id: UUID
    pos_system: str
    name: str
    nonce_hash: str
    verifier: str
    actor: str
    expires_at: datetime

    @property
    def challenge(self) -> str:
        """Of PKCE, by S256 (RFC 7636, section 4.2)."""
        return _url_safe(hashlib.sha256(self.verifier.encode()).digest())

    def is_of(self, nonce: str | None) -> bool:
        """Whether the browser that has this nonce began it."""
        return nonce is not None and hmac.compare_digest(self.nonce_hash, _hash(nonce))


def new(tenant_id: UUID, pos_system: str, name: str, actor: str) -> tuple[State, str]:
    """A state, and the nonce that its browser has to keep."""
    nonce = secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(32)
    expires_at = datetime.now(UTC).replace(microsecond=0) + LIFETIME
    state = State(uuid4(), tenant_id, pos_system, name, _hash(nonce), verifier, actor, expires_at)
    return state, nonce


def seal(vault: Vault, state: State) -> str:
    """The state as it travels."""
    plain = {key: str(value) for key, value in asdict(state).items()}
    return _url_safe(vault.seal(_NOBODY, _PURPOSE, plain).encode())


def open_state(vault: Vault, sealed: str) -> State:
    """The state that was sealed.

    Raises:
        ConnectError: it was not sealed here, or has expired.
    """
    try:
        envelope = base64.b64decode(sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
        plain = {key: str(value) for key, value in vault.open(_NOBODY, _PURPOSE, envelope.decode()).items()}
        ids = {key: UUID(plain.pop(key)) for key in ("id", "tenant_id")}
        expires_at = datetime.fromisoformat(plain.pop("expires_at"))
        state = State(**ids, expires_at=expires_at, **plain)  # type: ignore[arg-type]
    except (
        binascii.Error,
        ValueError,
        TypeError,
        KeyError,
        RecursionError,
        VaultError,
        json.JSONDecodeError,
    ):
        raise ConnectError(
            "This login was not begun here, or its address was changed on the way; begin it again."
        ) from None
    if state.expires_at <= datetime.now(UTC):
        raise ConnectError("This login took longer than ten minutes; begin it again.")
    return state


def _hash(nonce: str) -> str:
    return hashlib.sha256(nonce.encode("utf-8", "surrogatepass")).hexdigest()


def _url_safe(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
