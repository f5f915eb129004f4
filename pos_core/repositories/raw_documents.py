"""Reading the change log: every version of the documents that a transaction was made of."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from pos_core.database.raw import raw_schema

_COLUMNS = "external_id, external_version, external_updated_at, content_hash, source, read_at, received_at"


def versions(
    connection: Connection,
    tenant_id: UUID,
    pos_system: str,
    stream: str,
    configuration_id: UUID,
    external_id: str,
    *,
    is_order_reference: bool,
    with_payload: bool,
    limit: int,
) -> list[dict[str, Any]]:
    """What complete loads hold of a document, or of those that refer to an order, newest first.

    Args:
        stream: the raw table.
        external_id: of the document, or of the order where `is_order_reference`.
        with_payload: adds `payload`, the JSON text as it was landed.
        limit: at most so many.
    """
    schema = raw_schema(pos_system)
    if is_order_reference:
        documents = """pos_documents_of_order(
            :pos_system, :stream, cast(:configuration_id as uuid), :external_id, :limit
        )"""
    else:
        documents = f"""(
            select * from {schema}."{stream}" as d
            where d.tenant_id = :tenant_id and d.configuration_id = :configuration_id
                and d.external_id = :external_id
                and exists (
                    select from {schema}._dlt_loads as l where l.load_id = d._dlt_load_id and l.status = 0
                )
        )"""
    query = text(f"""
        select {_COLUMNS}{", payload::text as payload" if with_payload else ""}
        from {documents} as document
        order by received_at desc, read_at desc nulls last, external_id, content_hash
        limit :limit
    """)
    parameters = {"configuration_id": str(configuration_id), "external_id": external_id, "limit": limit}
    if is_order_reference:
        parameters |= {"pos_system": pos_system, "stream": stream}
    else:
        parameters["tenant_id"] = str(tenant_id)
    return [dict(row._mapping) for row in connection.execute(query, parameters)]
