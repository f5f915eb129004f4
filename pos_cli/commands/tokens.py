"""Access tokens of the API, for development."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pos_cli.output import print_json
from pos_core.errors import SettingsError
from pos_core.settings import get_settings
from webhook_api.auth import ADMIN, READ, SCOPES, WRITE, mint

_DEFAULT = (READ, WRITE, ADMIN)


def print_token(tenant: UUID, scopes: Sequence[str], lifetime_minutes: int, as_json: bool) -> None:
    """The token alone on a line, so that it can be put into a command.

    Raises:
        SettingsError: a scope does not exist, or tokens come from an issuer.
    """
    granted = frozenset(scopes or _DEFAULT)
    if unknown := granted.difference(SCOPES):
        raise SettingsError(f"There is no scope {min(unknown)!r}; there are {', '.join(SCOPES)}.")
    lifetime = timedelta(minutes=lifetime_minutes)
    token = mint(get_settings(), tenant, granted, lifetime)
    if as_json:
        expires_at = (datetime.now(UTC) + lifetime).replace(microsecond=0)
        print_json(
            {
                "token": token,
                "tenant_id": tenant,
                "scopes": sorted(granted),
                "expires_at": expires_at.isoformat().replace("+00:00", "Z"),
            }
        )
    else:
        print(token)
