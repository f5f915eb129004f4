"""How a process gets at the database: the address, an engine, and the server behind them."""

import atexit
import os
from dataclasses import replace
from functools import lru_cache
from uuid import UUID

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from pos_core.database.address import DatabaseAddress
from pos_core.database.embedded import EmbeddedServer
from pos_core.database.roles import API_ROLE, SERVICE_LOGIN
from pos_core.errors import DatabaseError, DatabaseVersionError, SettingsError
from pos_core.settings import get_settings, prepare_home

_OLDEST_VERSION = 16
_CONNECT_TIMEOUT_SECONDS = 10
# Whoever asks over HTTP waits no longer, and neither do those who need the same connection.
_SERVICE_OPTIONS = "-c statement_timeout=20000 -c lock_timeout=10000"
_engines: list[Engine] = []


@lru_cache(maxsize=1)
def embedded_server() -> EmbeddedServer | None:
    """The embedded server of this POS_HOME, or None where POS_DATABASE_URL names another."""
    settings = get_settings()
    if settings.database_url is not None:
        return None
    return EmbeddedServer(prepare_home(settings))


def database_address() -> DatabaseAddress:
    """The address of the database; the embedded server runs when this returns.

    Raises:
        DatabaseError: the server cannot be started, or the URL is none.
    """
    url = get_settings().database_url
    if url is not None:
        return DatabaseAddress.parse(url.get_secret_value())
    server = embedded_server()
    assert server is not None
    address = server.acquire()
    atexit.register(server.release)
    return address


@lru_cache(maxsize=1)
def get_engine() -> Engine:
    """The engine of this process (psycopg 3) as the owner of the tables, tried once.

    Raises:
        DatabaseError: the database does not answer.
        DatabaseVersionError: it is older than PostgreSQL 16.
    """
    return _tried(database_address().sqlalchemy())


def service_address(role: str) -> DatabaseAddress:
    """The address at which the HTTP service has one of its roles.

    On the embedded server it logs in as `pos_service`, else as POS_API_DATABASE_URL says; without that as the
    owner, from whose rights each session steps down to the role's.

    Raises:
        SettingsError: production needs a login of its own.
        DatabaseError: the server cannot be started, or a URL is none.
    """
    settings = get_settings()
    if settings.api_database_url is not None:
        address = DatabaseAddress.parse(settings.api_database_url.get_secret_value(), "POS_API_DATABASE_URL")
    elif settings.database_url is None:
        address = replace(database_address(), user=SERVICE_LOGIN)
    elif settings.environment == "production":
        raise SettingsError(
            "POS_API_DATABASE_URL is required when POS_ENVIRONMENT is production: the HTTP service logs in "
            f"as {SERVICE_LOGIN}, or another member of its roles, and not as the owner of the tables."
        )
    else:
        address = database_address()
    query = dict(address.query)
    query["options"] = f"{query.get('options', '')} {_SERVICE_OPTIONS} -c role={role}".strip()
    return replace(address, query=tuple(sorted(query.items())))


@lru_cache(maxsize=2)
def get_service_engine(role: str) -> Engine:
    """The engine of the HTTP service in one of its roles; tried once.

    Raises:
        SettingsError: production needs a login of its own.
        DatabaseError: the database does not answer, or has not got the role yet.
    """
    return _tried(service_address(role).sqlalchemy())


def tenant_engine(tenant_id: UUID) -> Engine:
    """The service's engine for one tenant: its transactions see and write the rows of that tenant alone."""
    return _scoped_engine(tenant_id=str(tenant_id))


def operator_engine() -> Engine:
    """The service's engine for operators: they see the log of webhooks as a whole, and no tenant's data."""
    return _scoped_engine(operator="on")


def _scoped_engine(**options: str) -> Engine:
    engine = get_service_engine(API_ROLE)
    if not event.contains(engine, "begin", _set_scope):
        event.listen(engine, "begin", _set_scope)
    return engine.execution_options(**options)


def _set_scope(connection: Connection) -> None:
    """By `set`, which takes no snapshot: the transaction may still lock what it is going to read."""
    options = connection.get_execution_options()
    tenant_id = options.get("tenant_id")
    connection.exec_driver_sql(f"set local pos.tenant_id = '{UUID(tenant_id) if tenant_id else ''}'")
    if options.get("operator") == "on":
        connection.exec_driver_sql("set local pos.operator = 'on'")


def _tried(url: URL) -> Engine:
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(_CONNECT_TIMEOUT_SECONDS)})
    # Parameters may be secrets, and errors are logged.
    engine = create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=True)
    try:
        with engine.connect() as connection:
            version = int(connection.execute(text("show server_version_num")).scalar_one())
    except DBAPIError as error:
        reason = (str(error.orig).strip() or "no reason given").splitlines()[0]
        raise DatabaseError(f"The database does not answer: {reason}") from None
    check_version(version)
    _engines.append(engine)
    return engine


def close_database() -> None:
    """Closes this process's connections and ends its use of the embedded server; the next use begins anew."""
    server = embedded_server() if embedded_server.cache_info().currsize else None
    _forget(close=True)
    if server is not None:
        atexit.unregister(server.release)
        server.release()


def _forget(close: bool) -> None:
    while _engines:
        _engines.pop().dispose(close=close)
    for cached in (get_engine, get_service_engine, embedded_server):
        cached.cache_clear()


def _forget_parent() -> None:
    """In a forked child: what its parent has open is the parent's, even to close it would be heard there."""
    _forget(close=False)


os.register_at_fork(after_in_child=_forget_parent)


def check_version(version: int) -> None:
    """Refuses a server that is too old.

    Args:
        version: as PostgreSQL counts, in `server_version_num`: 160003 is 16.3.

    Raises:
        DatabaseVersionError: it is older than PostgreSQL 16.
    """
    if version < _OLDEST_VERSION * 10000:
        raise DatabaseVersionError(
            f"The database is PostgreSQL {version // 10000}; this needs {_OLDEST_VERSION} or newer."
        )
