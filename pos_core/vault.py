"""Seals credentials before they are stored: AES-256-GCM, bound to the configuration they belong to.

A sealed credential is a JSON envelope `{"v": 1, "kid": key id, "n": nonce, "c": ciphertext}`. Tenant and
configuration are the associated data, so an envelope copied to another row does not open.
"""

import base64
import binascii
import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from filelock import FileLock

from pos_core.errors import VaultError
from pos_core.settings import Settings, prepare_home

_KEY_BYTES = 32
_NONCE_BYTES = 12
_SHOWN, _SHOWN_OF = 4, 16
LOCAL_KEY_ID = "local"
"""The id of the key that POS_HOME holds."""
NOBODY = UUID(int=0)
"""The tenant of what belongs to the operator."""


class Vault:
    """Seals and opens credentials with named keys; the first key seals, all open."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise VaultError("There is no encryption key; set POS_ENCRYPTION_KEYS.")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.sealing_key_id = next(iter(keys))

    def __repr__(self) -> str:
        return f"Vault(key_ids={self.key_ids})"

    @property
    def key_ids(self) -> list[str]:
        """The ids of the keys that open, the one that seals first."""
        return list(self._ciphers)

    def seal(self, tenant_id: UUID, configuration_id: UUID, credentials: Mapping[str, object]) -> str:
        """Returns the envelope, as JSON text, that only this configuration can open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = json.dumps(credentials, sort_keys=True).encode()
        cipher = self._ciphers[self.sealing_key_id]
        sealed = cipher.encrypt(nonce, plain, _associated(tenant_id, configuration_id))
        return json.dumps(
            {
                "v": 1,
                "kid": self.sealing_key_id,
                "n": base64.b64encode(nonce).decode(),
                "c": base64.b64encode(sealed).decode(),
            }
        )

    def open(self, tenant_id: UUID, configuration_id: UUID, envelope: str) -> dict[str, object]:
        """Returns the credentials.

        Raises:
            VaultError: the key is not there, or the envelope is damaged or another configuration's.
        """
        try:
            parts = json.loads(envelope)
            key_id = str(parts["kid"])
            nonce, sealed = base64.b64decode(parts["n"]), base64.b64decode(parts["c"])
        except (KeyError, ValueError, TypeError):
            raise VaultError(
                f"The sealed credentials of configuration {configuration_id} are damaged; connect it again."
            ) from None
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise VaultError(
                f"The credentials of configuration {configuration_id} were sealed with a key that is "
                "not among POS_ENCRYPTION_KEYS; put it back behind the others, or connect the account again."
            )
        try:
            plain = cipher.decrypt(nonce, sealed, _associated(tenant_id, configuration_id))
        except (InvalidTag, ValueError):
            raise VaultError(
                f"The credentials of configuration {configuration_id} do not open with this key; "
                "put back the POS_ENCRYPTION_KEYS or POS_HOME they were sealed with."
            ) from None
        opened: dict[str, object] = json.loads(plain)
        return opened


def fingerprint(credentials: Mapping[str, object]) -> str:
    """A short hash by which two sets of credentials can be told apart without showing them."""
    text = json.dumps(credentials, sort_keys=True).encode()
    return hashlib.sha256(b"pos-credentials:" + text).hexdigest()[:16]


def hint(credentials: Mapping[str, object]) -> dict[str, str]:
    """By key, the last four letters of each text long enough to keep the rest of it secret."""
    return {
        key: f"…{value[-_SHOWN:]}" if len(value) >= _SHOWN_OF else "…"
        for key, value in credentials.items()
        if isinstance(value, str)
    }


def new_key() -> str:
    """A key that nobody had before, as POS_ENCRYPTION_KEYS wants it: `id:base64`."""
    return f"k{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}"


def local_key_path(settings: Settings) -> Path:
    """Where the key of this POS_HOME is, if it has one."""
    return settings.home_path / "encryption.key"


def load_vault(settings: Settings) -> Vault:
    """The vault of this process: POS_ENCRYPTION_KEYS, then the key that POS_HOME holds.

    Without POS_ENCRYPTION_KEYS the key in POS_HOME is made where it is missing (development only) and seals.
    With them it opens what it sealed before, until it is taken away.

    Raises:
        VaultError: a key is malformed, named twice or cannot be read, or none is given in production.
    """
    path = local_key_path(settings)
    keys = _named_keys([key.get_secret_value() for key in settings.encryption_keys])
    if not keys and settings.environment == "production":
        raise VaultError("POS_ENCRYPTION_KEYS is required when POS_ENVIRONMENT is production.")
    try:
        if not keys:
            prepare_home(settings)
            with FileLock(f"{path}.lock", mode=0o600):
                if not path.exists():
                    _write_private(path, base64.b64encode(secrets.token_bytes(_KEY_BYTES)))
                return Vault({LOCAL_KEY_ID: _read_local(path)})
        if path.exists():
            local = _read_local(path)
            if keys.setdefault(LOCAL_KEY_ID, local) != local:
                raise VaultError(
                    f"POS_ENCRYPTION_KEYS calls a key {LOCAL_KEY_ID}, as the one in {path} is called; "
                    "give it another id."
                )
    except OSError as error:
        raise VaultError(f"{error.filename or path} cannot be used: {error.strerror}.") from None
    return Vault(keys)


def _associated(tenant_id: UUID, configuration_id: UUID) -> bytes:
    return f"{tenant_id}:{configuration_id}".encode()


def _named_keys(pairs: Sequence[str]) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for pair in pairs:
        key_id, _, encoded = pair.partition(":")
        if not key_id or key_id in keys:
            raise VaultError("POS_ENCRYPTION_KEYS must give each key an id of its own (id:key,id:key).")
        keys[key_id] = _decode(encoded, "POS_ENCRYPTION_KEYS")
    return keys


def _read_local(path: Path) -> bytes:
    return _decode(path.read_bytes().strip(), str(path))


def _decode(encoded: str | bytes, where: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise VaultError(f"{where} must hold base64 of {_KEY_BYTES} bytes (id:key where several are given).")
    return key


def _write_private(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
