"""A database with the tables that the models read, and the models built over them once."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest

from pos_core.database.address import DatabaseAddress
from tests.models.history import Dbt, History
from tests.models.schema import create_tables


@pytest.fixture(scope="session")
def built_models(server: DatabaseAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """The models in a database of their own, built while it was empty."""
    with psycopg.connect(server.libpq(), autocommit=True) as connection:
        connection.execute("create database models")
    address = server.with_database("models")
    before = dict(os.environ)
    try:
        os.environ.update(address.environment())
        with psycopg.connect(address.libpq(), autocommit=True) as connection:
            create_tables(connection)
            history = History(connection, Dbt(tmp_path_factory.mktemp("dbt")))
            history.dbt.invoke(
                "build", "--full-refresh", "--resource-type", "seed", "--resource-type", "model"
            )
            history.compile()
            yield history
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def history(built_models: History) -> History:
    """The models over a log without documents."""
    built_models.clear("square")
    return built_models
