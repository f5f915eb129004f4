"""Whether a configuration works, in words that the owner of a shop understands."""

import logging
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pipelines.connector import Account
from pipelines.registry import get_connector
from pos_core.errors import (
    CredentialsError,
    PosError,
    SettingsError,
    VaultError,
    VendorAuthError,
    VendorError,
    VendorFaultError,
    VendorRateLimitError,
    VendorScopeError,
    VendorUnreachableError,
)
from pos_core.repositories import tenant_configurations
from webhook_api.services.configurations import Caller, ask_stored

logger = logging.getLogger(__name__)

Reason = Literal[
    "works", "permission", "access", "unreachable", "busy", "vendor", "refused", "account", "service"
]
# The nearest class of the tree counts.
_SAID: dict[type[PosError], tuple[Reason, str]] = {
    VendorScopeError: (
        "permission",
        "{title} knows this connection, but does not let us read what is needed: a permission is missing. "
        "Connect the account again and allow everything that is asked for.",
    ),
    VendorAuthError: (
        "access",
        "{title} does not accept this connection any more: it has expired or was withdrawn. Connect the "
        "account again.",
    ),
    VendorUnreachableError: (
        "unreachable",
        "{title} does not answer at the moment. That is not about your account; try again in a few minutes.",
    ),
    VendorRateLimitError: (
        "busy",
        "{title} says that it was asked too often. Your connection is not the reason; try again later.",
    ),
    VendorFaultError: (
        "vendor",
        "{title} has a problem of its own at the moment. Try again in a few minutes.",
    ),
    VendorError: ("refused", "{title} refuses to answer for this account. Connect the account again."),
    CredentialsError: (
        "account",
        "The connection does not fit the account any more. Connect the account again.",
    ),
    PosError: ("service", "This connection cannot be used on this service as it is; ask its operator."),
}


@dataclass(frozen=True)
class Trial:
    """How a test of a configuration ended.

    Args:
        reason: for programs.
        said: the failure in the words of the service or the vendor; None where there is none to tell.
        account: the vendor's answer, where it gave one.
    """

    reason: Reason
    message: str
    said: str | None = None
    account: Account | None = None


def try_out(caller: Caller, configuration_id: UUID) -> Trial:
    """Asks the vendor with the credentials that are stored.

    Raises:
        UnknownConfigurationError: the tenant has none with this id.
    """
    with caller.engine.connect() as connection:
        current = tenant_configurations.find(connection, caller.tenant_id, configuration_id)
    connector = get_connector(current.pos_system)
    try:
        account, _ = ask_stored(caller.engine, caller.vault, connector, current)
    except PosError as error:
        logger.info("configuration %s does not work: %s", current.id, error.message)
        reason, words = next(_SAID[each] for each in type(error).__mro__ if each in _SAID)
        # What is for the operator alone names settings and keys.
        said = None if isinstance(error, SettingsError | VaultError) else error.message
        return Trial(reason, words.format(title=connector.title), said)
    shops = ", ".join(each.name for each in account.locations) or "none"
    return Trial(
        "works",
        f"{connector.title} answers for {account.name}. Shops found ({len(account.locations)}): {shops}.",
        account=account,
    )
