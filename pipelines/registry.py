"""Finds the POS systems: every folder below `pipelines/` whose package exports a `CONNECTOR`."""

from functools import lru_cache
from importlib import import_module
from pathlib import Path

from sqlalchemy import MetaData

from pipelines.connector import Connector
from pos_core.database.raw import define_raw_tables
from pos_core.database.tables import metadata as core_metadata
from pos_core.errors import ConfigurationError


@lru_cache(maxsize=1)
def connectors() -> dict[str, Connector]:
    """All POS systems by name, in alphabetical order."""
    folders = sorted(path.parent for path in Path(__file__).parent.glob("*/__init__.py"))
    found = (import_module(f"pipelines.{folder.name}").CONNECTOR for folder in folders)
    return {connector.pos_system: connector for connector in found}


def get_connector(pos_system: str) -> Connector:
    """The connector of one POS.

    Raises:
        ConfigurationError: there is none of that name; the message lists those there are.
    """
    try:
        return connectors()[pos_system]
    except KeyError:
        known = ", ".join(connectors())
        raise ConfigurationError(f"There is no POS system {pos_system!r}; choose one of: {known}.") from None


@lru_cache(maxsize=1)
def database_metadata() -> MetaData:
    """Every table that the migrations own: the operational ones and each POS's raw tables."""
    for connector in connectors().values():
        define_raw_tables(
            core_metadata,
            connector.pos_system,
            [stream.name for stream in connector.streams],
            [stream.name for stream in connector.streams if stream.refers_to_order],
        )
    return core_metadata
