"""Asset specs: one per raw stream of each connector, one per mart of the dbt project."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from graphlib import TopologicalSorter
from typing import Any

from dagster import AssetKey, AssetSpec, DynamicPartitionsDefinition, TableColumn, TableSchema

from pipelines.connector import Connector
from pipelines.models import manifest
from pipelines.registry import connectors
from pos_core.database.raw import raw_schema
from pos_core.settings import get_settings, prepare_home

CONFIGURATIONS = DynamicPartitionsDefinition(name="pos_configurations")
"""One partition per configuration; its key is the configuration's id."""


@lru_cache(maxsize=1)
def dbt_manifest() -> dict[str, Any]:
    """The parsed dbt project; needs no database."""
    return manifest(prepare_home(get_settings()) / "dbt")


def raw_key(pos_system: str, stream: str) -> AssetKey:
    """The asset of one raw table."""
    return AssetKey([raw_schema(pos_system), stream])


def mart_key(name: str) -> AssetKey:
    """The asset of one mart, named as the table."""
    return AssetKey([name])


def raw_specs() -> Iterator[AssetSpec]:
    """One spec per raw table."""
    for connector in connectors().values():
        for stream in connector.streams:
            yield _raw_spec(connector, stream.name)


def mart_specs() -> Iterator[AssetSpec]:
    """One spec per mart, with its columns and the raw tables and marts it is made from."""
    nodes = dbt_manifest()["nodes"]
    for node in _marts().values():
        yield AssetSpec(
            key=mart_key(node["name"]),
            deps=sorted(_origins(node, nodes)),
            description=node["description"],
            group_name="marts",
            kinds={"dbt", "postgres"},
            partitions_def=CONFIGURATIONS,
            skippable=True,
            metadata={"dagster/column_schema": _columns(node), "dagster/table_name": _table(node)},
        )


@lru_cache(maxsize=1)
def mart_names() -> tuple[str, ...]:
    """The marts in the order they depend on each other."""
    nodes = dbt_manifest()["nodes"]
    parents = {mart_key(node["name"]): _origins(node, nodes) for node in _marts().values()}
    order = TopologicalSorter({key: sorted(found & parents.keys()) for key, found in parents.items()})
    return tuple(key.path[-1] for key in order.static_order())


def _marts() -> dict[str, Mapping[str, Any]]:
    return {
        unique_id: node
        for unique_id, node in dbt_manifest()["nodes"].items()
        if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    }


def _raw_spec(connector: Connector, stream: str) -> AssetSpec:
    schema = raw_schema(connector.pos_system)
    return AssetSpec(
        key=raw_key(connector.pos_system, stream),
        description=f"{connector.title} {stream} as the vendor gave them, personal data removed: "
        "an append-only log with one row per version of a document.",
        group_name=schema,
        kinds={"dlt", "postgres"},
        partitions_def=CONFIGURATIONS,
        skippable=True,
        metadata={"dagster/table_name": f"{schema}.{stream}"},
    )


def _origins(node: Mapping[str, Any], nodes: Mapping[str, Any]) -> set[AssetKey]:
    """The raw tables and other marts above a mart, through staging and intermediate models."""
    marts = _marts()
    schemas = {raw_schema(name) for name in connectors()}
    streams = {
        (raw_schema(each.pos_system), stream.name)
        for each in connectors().values()
        for stream in each.streams
    }
    sources = dbt_manifest()["sources"]
    found: set[AssetKey] = set()
    waiting, seen = list(node["depends_on"]["nodes"]), set()
    while waiting:
        unique_id = waiting.pop()
        if unique_id in seen:
            continue
        seen.add(unique_id)
        if unique_id in marts:
            found.add(mart_key(marts[unique_id]["name"]))
        elif unique_id in nodes:
            waiting.extend(nodes[unique_id]["depends_on"].get("nodes", []))  # a seed has none
        elif unique_id in sources:
            source = sources[unique_id]
            if source["schema"] in schemas and (source["schema"], source["name"]) in streams:
                found.add(AssetKey([source["schema"], source["name"]]))
    return found


def _columns(node: Mapping[str, Any]) -> TableSchema:
    return TableSchema(
        columns=[
            TableColumn(name=column["name"], type=column["data_type"], description=column["description"])
            for column in node["columns"].values()
        ]
    )


def _table(node: Mapping[str, Any]) -> str:
    return f"{node['schema']}.{node['name']}"
