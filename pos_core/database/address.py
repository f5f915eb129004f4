"""One PostgreSQL address and the ways that libraries want it written."""

from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from pos_core.errors import DatabaseError

_DRIVERS = {
    "postgresql",
    "postgres",
    "postgresql+psycopg",
    "postgresql+asyncpg",
    "postgresql+psycopg2",
}
_ENVIRONMENT = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "application_name": "PGAPPNAME",
    "options": "PGOPTIONS",
}
_OF_ASYNCPG_ALONE = (
    "prepared_statement_cache_size",
    "prepared_statement_name_func",
    "async_fallback",
    "command_timeout",
    "timeout",
)


@dataclass(frozen=True, repr=False)
class DatabaseAddress:
    """Where a PostgreSQL database is; `host` is a name, an address or a folder with the socket."""

    host: str
    port: int
    user: str
    password: str
    database: str
    query: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"DatabaseAddress({self.user}@{self.host}:{self.port}/{self.database})"

    @classmethod
    def parse(cls, url: str, setting: str = "POS_DATABASE_URL") -> "DatabaseAddress":
        """Reads `postgresql://`, `postgresql+psycopg://` and `postgresql+asyncpg://` alike.

        Args:
            setting: where the URL is from, for messages.

        Raises:
            DatabaseError: the text is no such URL; the message does not repeat it, for it holds a password.
        """
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            raise DatabaseError(f"{setting} is not a URL; write postgresql://user@host/db.") from None
        query = {key: value if isinstance(value, str) else value[-1] for key, value in parsed.query.items()}
        database = query.pop("dbname", "") or parsed.database
        port = query.pop("port", "") or str(parsed.port or 5432)
        if parsed.drivername not in _DRIVERS or not database or not port.isdecimal():
            raise DatabaseError(f"{setting} must look like postgresql://user:password@host:5432/database.")
        if parsed.drivername == "postgresql+asyncpg":
            query = _as_libpq_has_it(query)
        return cls(
            host=query.pop("host", "") or unquote(parsed.host or "") or "localhost",
            port=int(port),
            user=query.pop("user", "") or parsed.username or "postgres",
            password=query.pop("password", "") or str(parsed.password or ""),
            database=database,
            query=tuple(sorted(query.items())),
        )

    def with_database(self, database: str) -> "DatabaseAddress":
        """The same server and user, another database."""
        return replace(self, database=database)

    def sqlalchemy(self, driver: str = "psycopg") -> URL:
        """A SQLAlchemy URL; the driver is always named, since its default differs between versions."""
        return URL.create(
            f"postgresql+{driver}",
            username=self.user,
            password=self.password or None,
            database=self.database,
            query={**dict(self.query), "host": self.host, "port": str(self.port)},
        )

    def libpq(self) -> str:
        """A `postgresql://` URL for psql, psycopg, dlt and ADBC; a socket folder is percent-encoded."""
        login = quote(self.user, safe="")
        if self.password:
            login += ":" + quote(self.password, safe="")
        query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in self.query)
        text = f"postgresql://{login}@{quote(self.host, safe='')}:{self.port}/{quote(self.database, safe='')}"
        return text + (f"?{query}" if query else "")

    def environment(self) -> dict[str, str]:
        """libpq's environment variables, as dbt's profile reads them."""
        variables = {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database,
        }
        variables.update({_ENVIRONMENT[key]: value for key, value in self.query if key in _ENVIRONMENT})
        return variables


def _as_libpq_has_it(query: dict[str, str]) -> dict[str, str]:
    """asyncpg's own parameters as libpq calls them; those that libpq lacks are left out."""
    kept = {key: value for key, value in query.items() if key not in _OF_ASYNCPG_ALONE}
    ssl = kept.pop("ssl", None)
    if ssl is not None:
        kept.setdefault("sslmode", {"true": "require", "false": "disable"}.get(ssl.lower(), ssl))
    return kept
