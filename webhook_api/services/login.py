"""Connecting by logging in at the vendor: where the browser is sent, and what becomes of the code."""

import logging
import re
from dataclasses import dataclass
from datetime import datetime

from pipelines import connect
from pipelines.connector import Connector, OAuth
from pipelines.registry import connectors, get_connector
from pos_core.database.connect import tenant_engine
from pos_core.errors import ConfigurationError, ConnectError, SettingsError, UnknownResourceError
from pos_core.repositories import connect_states
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings
from pos_core.vault import Vault
from webhook_api.services import connect_state
from webhook_api.services.configurations import Caller, set_up
from webhook_api.services.connect_state import State
from webhook_api.services.patience import asking_vendor

logger = logging.getLogger(__name__)

CALLBACK_PATH = "/api/v1/connect/callback"
_CODE = re.compile(r"[a-z][a-z_]{0,59}")


@dataclass(frozen=True)
class Login:
    """A login that may begin.

    Args:
        nonce: for a cookie of the browser, by the name `cookie`.
    """

    authorize_url: str
    expires_at: datetime
    cookie: str
    nonce: str


@dataclass(frozen=True)
class Returned:
    """What the vendor's page sent the browser back with; `error` is the vendor's code."""

    code: str | None
    error: str | None


def redirect_uri() -> str:
    """The one address that vendors send browsers back to; it is registered with each of them."""
    return get_settings().webhook_base_url.rstrip("/") + CALLBACK_PATH


def cookie_name(state: State) -> str:
    """One for each login, so that two at once do not disturb each other."""
    return f"pos_connect_{state.id.hex}"


def begin(caller: Caller, pos_system: str, name: str) -> Login:
    """Begins a login at a vendor.

    Raises:
        UnknownResourceError: there is no such POS.
        ConfigurationError: it has no such login, or the operator has not set it up.
    """
    if pos_system not in connectors():
        raise UnknownResourceError("There is no such POS system; the documentation of the path lists them.")
    connector = get_connector(pos_system)
    oauth = _oauth(connector)
    state, nonce = connect_state.new(caller.tenant_id, pos_system, name, caller.actor.name)
    try:
        sealed = connect_state.seal(caller.vault, state)
        authorize_url = oauth.authorize_url(redirect_uri(), sealed, state.challenge)
    except SettingsError as error:
        logger.warning("nobody can log in at %s: %s", pos_system, error.message)
        raise ConfigurationError(
            f"Connecting {connector.title} by login is not set up on this service; its operator can do that."
        ) from None
    with caller.engine.begin() as connection:
        connect_states.begin(connection, caller.tenant_id, state.id, state.expires_at)
    return Login(authorize_url, state.expires_at, cookie_name(state), nonce)


def finish(vault: Vault, state: State, nonce: str | None, returned: Returned, actor: Actor) -> Configuration:
    """Ends a login: the code becomes credentials, and the account a configuration.

    Args:
        nonce: what the browser has in the cookie of this login.
        actor: origin and request of whoever came back; the name is of who began.

    Raises:
        ConnectError: another browser began it, it has been ended already, or the vendor says no.
        VendorError: the vendor cannot be asked, or does not accept the code.
        ConfigurationError: the account cannot be connected.
    """
    if not state.is_of(nonce):
        raise ConnectError(
            "This login was begun in another browser, or cookies are off; begin it again here and allow them."
        )
    with asking_vendor(state.tenant_id):  # first: a login that finds no room is not used up
        return _finish(state, returned, vault, actor)


def _finish(state: State, returned: Returned, vault: Vault, actor: Actor) -> Configuration:
    engine = tenant_engine(state.tenant_id)
    with engine.begin() as connection:
        if not connect_states.use(connection, state.tenant_id, state.id):
            raise ConnectError("This login has been used already; begin it again if it did not succeed.")
    connector = get_connector(state.pos_system)
    if returned.error is not None or not returned.code:
        raise ConnectError(_refusal(connector, returned.error))
    request = connect.Request(
        tenant_id=state.tenant_id,
        pos_system=state.pos_system,
        name=state.name,
        given=None,
        actor=Actor(state.actor, actor.origin, actor.request_id),
        sync_interval_seconds=get_settings().sync_interval_seconds,
    )
    with set_up(connector):
        credentials = _oauth(connector).exchange(returned.code, redirect_uri(), state.verifier)
        configuration, _ = connect.store_account(engine, vault, request, credentials)
    return configuration


def _oauth(connector: Connector) -> OAuth:
    if connector.oauth is None:
        raise ConfigurationError(
            f"{connector.title} has no login to connect by; create the configuration with its credentials."
        )
    return connector.oauth


def _refusal(connector: Connector, error: str | None) -> str:
    """The vendor's word is repeated only where it can be a code: it came through the browser."""
    if error == "access_denied":
        return f"Access was not allowed at {connector.title}, so nothing was connected."
    word = f" ({error})" if error is not None and _CODE.fullmatch(error) else ""
    return f"{connector.title} ended the login without giving access{word}; nothing was connected."
