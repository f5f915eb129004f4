"""PostgreSQL advisory locks: gone with the connection that holds them, so a killed run blocks nobody."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from uuid import UUID

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, text

_NORMALISE_KEY = 0x706F735F6E6F726D


def _apart(engine: Engine) -> Engine:
    """The same database without the pool.

    Whoever waits for a lock must not have the connection that its holder needs to end.
    """
    return _unpooled(engine.url)


@lru_cache(maxsize=8)
def _unpooled(url: URL) -> Engine:
    return create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)


_TRY_ALL = text("""
    with tried as materialized (
        select id, pg_try_advisory_lock(hashtextextended('pos-sync:' || id, 0)) as is_ours
        from unnest(cast(:ids as uuid[])) as wanted (id)
    )
    select id from tried where is_ours order by id
""")


@contextmanager
def held_configurations(engine: Engine, ids: Sequence[UUID], wait: bool = False) -> Iterator[list[UUID]]:
    """Holds the single-flight locks of configurations while the block runs.

    Args:
        wait: wait for locks that others hold; otherwise those configurations are left out.

    Yields:
        The configurations that are ours now.
    """
    wanted = sorted(set(ids))
    with _apart(engine).connect() as connection:
        try:
            if wait:
                for each in wanted:  # one order for all, so that waiting cannot deadlock
                    key = {"key": f"pos-sync:{each}"}
                    connection.execute(text("select pg_advisory_lock(hashtextextended(:key, 0))"), key)
                yield wanted
            else:
                yield list(connection.execute(_TRY_ALL, {"ids": wanted}).scalars())
        finally:
            connection.execute(text("select pg_advisory_unlock_all()"))


def busy_configurations(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the configurations whose single-flight lock somebody holds; asking keeps nobody from it."""
    query = text("""
        with held as materialized (
            select (classid::bigint << 32) | objid::bigint as key from pg_locks
            where locktype = 'advisory' and objsubid = 1 and granted
                and database = (select oid from pg_database where datname = current_database())
        )
        select wanted.id from unnest(cast(:ids as uuid[])) as wanted (id)
        where hashtextextended('pos-sync:' || wanted.id, 0) in (select key from held)
    """)
    return set(connection.execute(query, {"ids": list(ids)}).scalars())


@contextmanager
def tried_key(engine: Engine, key: str) -> Iterator[bool]:
    """Holds the lock of any text while the block runs, unless somebody has it; yields whether it is ours."""
    with _apart(engine).connect() as connection:
        parameters = {"key": key}
        take = text("select pg_try_advisory_lock(hashtextextended(:key, 0))")
        ours = bool(connection.execute(take, parameters).scalar_one())
        try:
            yield ours
        finally:
            if ours:
                connection.execute(text("select pg_advisory_unlock(hashtextextended(:key, 0))"), parameters)


def is_free(connection: Connection, key: str) -> bool:
    """Whether nobody holds the lock of a text; it is let go again at once."""
    query = text("select pg_try_advisory_xact_lock_shared(hashtextextended(:key, 0))")
    with connection.begin_nested() as savepoint:
        free = bool(connection.execute(query, {"key": key}).scalar_one())
        savepoint.rollback()
    return free


@contextmanager
def held_key(engine: Engine, key: str) -> Iterator[None]:
    """Holds the lock of any text while the block runs; waits for whoever has it."""
    with _apart(engine).connect() as connection:
        parameters = {"key": key}
        connection.execute(text("select pg_advisory_lock(hashtextextended(:key, 0))"), parameters)
        try:
            yield
        finally:
            connection.execute(text("select pg_advisory_unlock(hashtextextended(:key, 0))"), parameters)


@contextmanager
def held_normalising(engine: Engine) -> Iterator[Connection]:
    """Holds the one lock under which the models run; yields the connection that holds it."""
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": _NORMALISE_KEY})
        connection.commit()
        try:
            yield connection
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _NORMALISE_KEY})
            connection.commit()
