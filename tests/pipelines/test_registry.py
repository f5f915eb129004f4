"""The POS systems there are, found by their folders."""

import shutil
import sys
from pathlib import Path

import pytest

import pipelines
from pipelines import registry
from pipelines.connector import Connector
from pos_core.errors import ConfigurationError


def test_every_folder_is_a_connector_of_its_own_name() -> None:
    folders = {path.parent.name for path in Path(registry.__file__).parent.glob("*/__init__.py")}
    found = registry.connectors()
    assert set(found) == folders
    for name, connector in found.items():
        assert isinstance(connector, Connector)
        assert connector.pos_system == name
        assert connector.sales_stream in [stream.name for stream in connector.streams]
        assert len({stream.name for stream in connector.streams}) == len(connector.streams)
        assert connector.stream(connector.sales_stream).name == connector.sales_stream


def test_an_unknown_system_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"no POS system 'abacus'; choose one of: .*square"):
        registry.get_connector("abacus")


def test_the_database_has_a_raw_table_for_every_stream() -> None:
    tables = set(registry.database_metadata().tables)
    for name, connector in registry.connectors().items():
        assert {f"raw_{name}.{stream.name}" for stream in connector.streams} <= tables


def test_one_more_system_is_one_more_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of a connector under another name, beside the others, needs no other change."""
    package = tmp_path / "pipelines"
    (package / "till").mkdir(parents=True)
    shutil.copy(registry.__file__, package / "registry.py")
    (package / "till" / "__init__.py").write_text(
        "from dataclasses import replace\n"
        "from pipelines.square import CONNECTOR as known\n"
        "CONNECTOR = replace(known, pos_system='till')\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(pipelines, "__path__", [*pipelines.__path__, str(package)])
    monkeypatch.setattr(registry, "__file__", str(package / "registry.py"))
    registry.connectors.cache_clear()
    try:
        assert list(registry.connectors()) == ["till"]
        assert registry.get_connector("till").pos_system == "till"
    finally:
        registry.connectors.cache_clear()
        sys.modules.pop("pipelines.till", None)
