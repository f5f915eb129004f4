"""One address, read from any of the ways it is written and written as each library wants it."""

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine, make_url
from sqlalchemy.engine import URL

from pos_core.database.address import DatabaseAddress
from pos_core.errors import DatabaseError

PASSWORD = "p@ss:w/o?r#d %+é"
ENCODED = "p%40ss%3Aw%2Fo%3Fr%23d%20%25%2B%C3%A9"
FORMS = ["postgresql", "postgresql+psycopg", "postgresql+asyncpg", "postgresql+psycopg2", "postgres"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_url_is_the_same_address(form: str) -> None:
    address = DatabaseAddress.parse(f"{form}://baker:{ENCODED}@db.example:6432/sales?sslmode=require")
    assert address == DatabaseAddress(
        "db.example", 6432, "baker", PASSWORD, "sales", (("sslmode", "require"),)
    )


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_url_reaches_the_database(server: DatabaseAddress, form: str) -> None:
    url = server.libpq().replace("postgresql", form, 1)
    with psycopg.connect(DatabaseAddress.parse(url).libpq()) as connection:
        assert connection.execute("select current_database()").fetchone() == (server.database,)


def test_what_is_not_said_has_its_usual_value() -> None:
    assert DatabaseAddress.parse("postgresql:///sales") == DatabaseAddress(
        "localhost", 5432, "postgres", "", "sales"
    )


ADDRESSES = [
    DatabaseAddress("db.example", 6432, "baker", PASSWORD, "sales"),
    DatabaseAddress("/tmp/a folder/pos-1", 5432, "postgres", "", "pos"),
    DatabaseAddress("::1", 5432, "baker", "", "pos"),
    DatabaseAddress("h", 5432, "ba:k/er@home", "x", "sales & more?/100%"),
    DatabaseAddress("h", 5432, "u", "", "d", (("application_name", "a=b&c"), ("options", "-c jit=off"))),
]


@pytest.mark.parametrize("address", ADDRESSES, ids=repr)
def test_every_way_of_writing_it_says_the_same(address: DatabaseAddress) -> None:
    expected = {
        **dict(address.query),
        "host": address.host,
        "port": str(address.port),
        "user": address.user,
        "dbname": address.database,
    }
    if address.password:
        expected["password"] = address.password
    assert DatabaseAddress.parse(address.libpq()) == address
    assert conninfo_to_dict(address.libpq()) == expected
    for driver in ("psycopg", "psycopg2"):
        url = address.sqlalchemy(driver)
        assert url.drivername == f"postgresql+{driver}"
        _, arguments = create_engine(url).dialect.create_connect_args(make_url(_shown(url)))
        arguments.pop("context", None)  # psycopg's adapters
        assert {key: str(value) for key, value in arguments.items()} == expected


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.mark.parametrize("address", ADDRESSES, ids=repr)
def test_the_environment_says_the_same(address: DatabaseAddress) -> None:
    variables = address.environment()
    assert variables["PGHOST"] == address.host
    assert variables["PGPORT"] == str(address.port)
    assert variables["PGUSER"] == address.user
    assert variables["PGPASSWORD"] == address.password
    assert variables["PGDATABASE"] == address.database
    for key, value in address.query:
        name = {"application_name": "PGAPPNAME", "options": "PGOPTIONS"}[key]
        assert variables[name] == value


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://%2Fvar%2Frun%2Fpostgresql/pos",
        "postgresql:///pos?host=/var/run/postgresql",
        "postgresql+psycopg://postgres@/pos?host=%2Fvar%2Frun%2Fpostgresql&port=5432",
    ],
)
def test_a_socket_folder_is_read_from_wherever_it_stands(url: str) -> None:
    expected = DatabaseAddress("/var/run/postgresql", 5432, "postgres", "", "pos")
    assert DatabaseAddress.parse(url) == expected


def test_what_the_parameters_say_of_login_and_database_is_no_parameter() -> None:
    url = f"postgresql://h/?user=baker&password={ENCODED}&dbname=sales&port=1&sslmode=disable"
    expected = DatabaseAddress("h", 1, "baker", PASSWORD, "sales", (("sslmode", "disable"),))
    assert DatabaseAddress.parse(url) == expected


@pytest.mark.parametrize(
    ("ssl", "sslmode"), [("require", "require"), ("true", "require"), ("false", "disable")]
)
def test_parameters_of_asyncpg_become_those_of_libpq(ssl: str, sslmode: str) -> None:
    url = f"postgresql+asyncpg://u@h/d?ssl={ssl}&prepared_statement_cache_size=0&timeout=5"
    assert DatabaseAddress.parse(url).query == (("sslmode", sslmode),)


def test_another_database_is_on_the_same_server() -> None:
    address = DatabaseAddress.parse("postgresql://u:p@h:1/d?sslmode=require")
    expected = DatabaseAddress("h", 1, "u", "p", "other", (("sslmode", "require"),))
    assert address.with_database("other") == expected


def test_no_way_of_showing_it_shows_the_password() -> None:
    address = DatabaseAddress.parse("postgresql://baker:sourdough@h/d?password=sourdough")
    shown = f"{address} {address!r} {address.sqlalchemy()} {create_engine(address.sqlalchemy())}"
    assert "sourdough" not in shown
    assert repr(address) == "DatabaseAddress(baker@h:5432/d)"


@pytest.mark.parametrize(
    "url",
    [
        "sourdough",
        "sourdough://",
        "mysql://u:sourdough@h/d",
        "sqlite:///sourdough.db",
        "postgresql://u:sourdough@h",
        "postgresql://u:sourdough@h/",
        "postgresql://u:sour@dough:x@h/d",
        "postgresql://u:x@h:sourdough/d",
        "postgresql://u:x@h/d?port=sourdough",
        "host=h password=sourdough",
    ],
)
def test_a_url_that_is_none_is_refused_and_never_repeated(url: str) -> None:
    with pytest.raises(DatabaseError, match=r"^POS_DATABASE_URL ") as caught:
        DatabaseAddress.parse(url)
    assert "dough" not in caught.value.message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_database_with_an_odd_name_is_reached(server: DatabaseAddress) -> None:
    address = server.with_database("sales & more?/100%")
    engine = create_engine(server.sqlalchemy(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'create database "{address.database.replace("%", "%%")}"')
        with psycopg.connect(address.libpq()) as other:
            assert other.execute("select current_database()").fetchone() == (address.database,)
        connection.exec_driver_sql(f'drop database "{address.database.replace("%", "%%")}" with (force)')
    engine.dispose()
