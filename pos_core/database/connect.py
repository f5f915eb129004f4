"""How a process gets at the database: the address, an engine, and the server behind them."""

import atexit
from functools import lru_cache

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from pos_core.database.address import DatabaseAddress
from pos_core.database.embedded import EmbeddedServer
from pos_core.errors import DatabaseError, DatabaseVersionError
from pos_core.settings import get_settings, prepare_home

_OLDEST_VERSION = 16
_CONNECT_TIMEOUT_SECONDS = 10


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
    """The engine of this process (psycopg 3), tried once.

    Raises:
        DatabaseError: the database does not answer.
        DatabaseVersionError: it is older than PostgreSQL 16.
    """
    url = database_address().sqlalchemy()
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(_CONNECT_TIMEOUT_SECONDS)})
    engine = create_engine(url, pool_size=5, max_overflow=20, pool_pre_ping=True)
    try:
        with engine.connect() as connection:
            version = int(connection.execute(text("show server_version_num")).scalar_one())
    except DBAPIError as error:
        reason = (str(error.orig).strip() or "no reason given").splitlines()[0]
        raise DatabaseError(f"The database does not answer: {reason}") from None
    check_version(version)
    return engine


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
