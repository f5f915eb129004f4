"""The schema: made once by whoever comes first, and never by code that is older than it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.engine import Connection

from pos_core.database import embedded
from pos_core.database.address import DatabaseAddress
from pos_core.database.connect import check_version
from pos_core.database.migrate import _config, differences, migrate
from pos_core.errors import DatabaseError, DatabaseVersionError
from tests.pos_core.processes import together


def _tables(engine: Engine) -> set[str]:
    """All tables but the one that holds the version, with their schema."""
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "select schemaname || '.' || tablename from pg_tables "
                "where schemaname not in ('pg_catalog', 'information_schema')"
            )
        )
        return {row[0] for row in found.all()} - {"public.pos_schema_version"}


def test_the_first_time_makes_the_tables_and_the_second_finds_them(empty: Engine) -> None:
    assert migrate(empty) is True
    made = _tables(empty)
    assert {"public.pos_configurations", "raw_square.orders"} <= made
    assert migrate(empty) is False
    assert _tables(empty) == made


def test_the_migrations_make_what_is_declared(migrated: Engine) -> None:
    assert differences(migrated) is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("alter table pos_sync_logs drop column run_id", "run_id"),
        ("drop index raw_square.orders_configuration_id_external_id_idx", "orders_configuration_id"),
        ("alter table raw_square.refunds alter content_hash drop not null", "content_hash"),
        (
            "alter table pos_webhook_logs drop constraint "
            "pos_webhook_logs_pos_system_event_id_configuration_id_key",
            "event_id",
        ),
        ("drop table pos_touched_documents", "pos_touched_documents"),
    ],
)
def test_what_the_migrations_lack_is_a_difference(empty: Engine, change: str, named: str) -> None:
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text(change))
    assert named in (differences(empty) or "")


@pytest.fixture
def oldest(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine over a server of the oldest version that is supported, which the wheel has too."""
    programs = embedded._programs().parent.parent / "pginstall" / "bin"
    monkeypatch.setattr(embedded, "_programs", lambda: programs)
    monkeypatch.setattr(embedded, "_VERSION", 16)
    with tempfile.TemporaryDirectory() as home:
        server = embedded.EmbeddedServer(Path(home))
        engine = create_engine(server.acquire().sqlalchemy())
        yield engine
        engine.dispose()
        server.release()


def test_the_oldest_server_that_is_supported_takes_the_schema(oldest: Engine) -> None:
    with oldest.connect() as connection:
        version = int(connection.execute(text("show server_version_num")).scalar_one())
    assert version // 10000 == 16
    check_version(version)
    assert migrate(oldest) is True
    assert differences(oldest) is None


_MIGRATE = """
import sys
from sqlalchemy import create_engine
from pos_core.database.migrate import migrate
engine = create_engine(sys.argv[1])
engine.connect().close()
print("ready", flush=True)
sys.stdin.readline()
print(migrate(engine), flush=True)
"""


def test_processes_that_migrate_at_the_same_moment_do_it_once(empty: Engine) -> None:
    url = empty.url.render_as_string(hide_password=False)
    assert sorted(together(_MIGRATE, 3, url)) == ["False", "False", "True"]
    assert differences(empty) is None


def test_a_schema_of_newer_code_is_refused_and_left_alone(empty: Engine) -> None:
    migrate(empty)
    before = _tables(empty)
    with empty.begin() as connection:
        connection.execute(text("insert into pos_schema_version values ('core_9999')"))
    with pytest.raises(DatabaseVersionError, match="newer version of this project; update the project"):
        migrate(empty)
    assert _tables(empty) == before


def test_down_to_nothing_and_up_again_makes_the_same(empty: Engine) -> None:
    migrate(empty)
    before = _tables(empty)
    config = _config()
    with empty.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert _tables(empty) == set()
    assert inspect(empty).get_schema_names().count("raw_square") == 0
    assert migrate(empty) is True
    assert _tables(empty) == before
    assert differences(empty) is None


def test_every_revision_goes_down_and_up_by_itself(empty: Engine) -> None:
    config = _config()
    revisions = [
        each.revision for each in ScriptDirectory.from_config(config).walk_revisions("base", "heads")
    ]
    for revision in reversed(revisions):
        with empty.begin() as connection:
            config.attributes["connection"] = connection
            before = _names(connection)
            command.upgrade(config, revision)
            after = _names(connection)
            branch = revision.partition("_")[0]
            command.downgrade(config, f"{branch}@-1")
            assert {each for each in _names(connection) - before if "pos_schema_version" not in each} == set()
            assert before <= _names(connection) < after | before
            command.upgrade(config, revision)
            assert _names(connection) == after
    assert differences(empty) is None


def _names(connection: Connection) -> set[str]:
    """Tables, indexes and sequences, the columns of all of them, and functions."""
    query = text(
        "select c.oid::regclass::text || coalesce('.' || a.attname, '') from pg_class as c "
        "left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
        "where c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)' "
        "union all select p.oid::regprocedure::text from pg_proc as p "
        "where p.pronamespace::regnamespace::text !~ '^(pg_|information_schema)'"
    )
    return set(connection.execute(query).scalars())


@pytest.fixture
def newcomer(empty: Engine, database: DatabaseAddress) -> Iterator[Engine]:
    """The empty database as a user who may not make anything in it."""
    name = f"newcomer_{database.database}"
    with empty.begin() as connection:
        connection.execute(text(f"create role {name} login"))
    url = database.sqlalchemy().set(username=name)
    engine = create_engine(url)
    yield engine
    engine.dispose()
    with empty.begin() as connection:
        connection.execute(text(f"drop role {name}"))


def test_a_user_who_may_not_make_tables_is_told_so_in_one_line(newcomer: Engine, empty: Engine) -> None:
    with pytest.raises(DatabaseError, match=r"^The schema could not be set up: permission denied") as caught:
        migrate(newcomer)
    assert "\n" not in caught.value.message
    assert not isinstance(caught.value, DatabaseVersionError)
    assert _tables(empty) == set()


def test_a_failure_half_way_leaves_nothing(empty: Engine) -> None:
    with empty.begin() as connection:
        connection.execute(text("create table pos_waiting_documents (id int)"))
    with pytest.raises(DatabaseError, match='"pos_waiting_documents" already exists'):
        migrate(empty)
    assert _tables(empty) == {"public.pos_waiting_documents"}
