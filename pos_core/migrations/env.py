"""Runs migrations on the connection that the caller passes."""

from importlib import import_module

from alembic import context
from sqlalchemy import Connection, MetaData


def _metadata() -> MetaData:
    """Declared by the registry of POS systems, which this package must not import by name."""
    declared: MetaData = import_module("pipelines.registry").database_metadata()
    return declared


def _schemas(metadata: MetaData) -> set[str | None]:
    return {table.schema for table in metadata.tables.values()}


def _run(connection: Connection) -> None:
    metadata = _metadata()
    declared = _schemas(metadata)

    def belongs(name: str | None, kind: str, parents: object) -> bool:
        """Only tables that the migrations own are compared; dbt owns the marts."""
        if kind == "schema":
            return name in declared
        if kind == "table":
            schema = parents.get("schema_name") if isinstance(parents, dict) else None
            return (f"{schema}.{name}" if schema else name) in metadata.tables
        return True

    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_schemas=True,
        include_name=belongs,
        version_table="pos_schema_version",
    )
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
