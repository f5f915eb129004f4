"""Sales that the models leave out, noted where people look: refused by the database, by a model, or waiting.

A document that is set aside at stage `normalise` is not seen by the models until it is asked for again.
"""

import logging
from uuid import UUID

import psycopg
from sqlalchemy import Connection, text

from pipelines import models
from pipelines.connector import Connector
from pipelines.registry import connectors
from pos_core.database.raw import raw_schema

logger = logging.getLogger(__name__)

_HIDDEN = "is tried again alone, since the models could not be built with it and others"
_TOUCHED = f"(select configuration_id, external_id from pos_work.{models.BATCH_MODEL})"


def set_aside(
    connection: Connection, pos_system: str, configuration_id: UUID, external_id: str, error: psycopg.Error
) -> bool:
    """Quarantines the version of a document that the database refuses: the newest that the models still see.

    Returns:
        Whether there was one.
    """
    connector = connectors()[pos_system]
    reason = (error.diag.message_primary or type(error).__name__).strip()
    logger.warning("document %s of configuration %s set aside: %s", external_id, configuration_id, reason)
    statement = text(f"""
        insert into pos_quarantined_documents
            (tenant_id, configuration_id, pos_system, stream, external_id, content_hash, stage, reason)
        select
            cast(tenant_id as uuid), cast(configuration_id as uuid), :pos_system, :stream, external_id,
            content_hash, 'normalise', :reason
        from ({_held(connector)}) as held
        where configuration_id = :configuration_id and external_id = :external_id
        order by {_rank("held")} desc
        limit 1
        on conflict (configuration_id, stream, content_hash, stage)
        do update set last_seen_at = now(), resolved_at = null, reason = excluded.reason
    """)
    parameters = {
        "pos_system": pos_system,
        "stream": connector.sales_stream,
        "configuration_id": str(configuration_id),
        "external_id": external_id,
        "reason": reason,
    }
    return connection.execute(statement, parameters).rowcount > 0


def record(connection: Connection) -> None:
    """Notes what the models refused or have to wait for, and closes what no longer is."""
    for statement in _ASIDE:
        connection.execute(text(statement))
    for connector in connectors().values():
        _close_overtaken(connection, connector)


def _close_overtaken(connection: Connection, connector: Connector) -> None:
    """A refused version needs nobody any more when a newer one, refused by nobody, has been normalised."""
    raw = f'{raw_schema(connector.pos_system)}."{connector.sales_stream}"'
    connection.execute(
        text(f"""
            update pos_quarantined_documents as document set resolved_at = now()
            where stage in ('normalise', 'model') and resolved_at is null
                and pos_system = :pos_system and stream = :stream
                and (configuration_id, external_id) in {_TOUCHED}
                and exists (
                    select from pos_transactions as sale
                    where sale.configuration_id = document.configuration_id
                        and sale.external_order_id = document.external_id
                )
                and exists (
                    select from ({_held(connector)}) as held
                    inner join {raw} as refused
                        on refused.configuration_id = held.configuration_id
                        and refused.external_id = held.external_id
                    where held.configuration_id = cast(document.configuration_id as text)
                        and held.external_id = document.external_id
                        and refused.content_hash = document.content_hash
                        and {_rank("held")} > {_rank("refused")}
                        and not exists (
                            select from pos_quarantined_documents as refused_too
                            where refused_too.stage = 'model' and refused_too.resolved_at is null
                                and refused_too.configuration_id = document.configuration_id
                                and refused_too.stream = document.stream
                                and refused_too.content_hash = held.content_hash
                        )
                )
        """),
        {"pos_system": connector.pos_system, "stream": connector.sales_stream},
    )


def _rank(row: str) -> str:
    """What decides between versions of one document, as `documents.rank` does."""
    return (
        f"(coalesce({row}.external_version, -9223372036854775808), "
        f"coalesce({row}.external_updated_at, '-infinity'), coalesce({row}.read_at, '-infinity'), "
        f"{row}.content_hash)"
    )


def _held(connector: Connector) -> str:
    """The versions of sales that the models see: of complete loads, not set aside."""
    schema = raw_schema(connector.pos_system)
    return f"""
        select version.* from {schema}."{connector.sales_stream}" as version
        where
            exists (
                select from {schema}._dlt_loads as load
                where load.load_id = version._dlt_load_id and load.status = 0
            )
            and not exists (
                select from pos_quarantined_documents as aside
                where aside.stage = 'normalise' and aside.resolved_at is null
                    and aside.stream = :stream and aside.pos_system = :pos_system
                    and cast(aside.configuration_id as text) = version.configuration_id
                    and aside.external_id = version.external_id
                    and aside.content_hash = version.content_hash
            )
    """


def hide_sales(connection: Connection) -> None:
    """Sets every sale aside; the next time that its document is normalised it is seen again."""
    for connector in connectors().values():
        connection.execute(
            text(f"""
                insert into pos_quarantined_documents as document
                    (tenant_id, configuration_id, pos_system, stream, external_id, content_hash,
                    stage, reason)
                select distinct
                    cast(tenant_id as uuid), cast(configuration_id as uuid), :pos_system, :stream,
                    external_id, content_hash, 'normalise', :reason
                from {raw_schema(connector.pos_system)}."{connector.sales_stream}"
                on conflict (configuration_id, stream, content_hash, stage)
                do update set resolved_at = null, reason = excluded.reason
                where document.resolved_at is not null
            """),
            {"pos_system": connector.pos_system, "stream": connector.sales_stream, "reason": _HIDDEN},
        )


def show_sales(connection: Connection) -> None:
    """Takes back what `hide_sales` did."""
    connection.execute(
        text("delete from pos_quarantined_documents where stage = 'normalise' and reason = :hidden"),
        {"hidden": _HIDDEN},
    )


def try_again(connection: Connection, touches: int) -> None:
    """Whoever asks for a document to be normalised again means the refused versions of it too."""
    parameters = {"touches": touches, "hidden": _HIDDEN}
    for action, condition in (
        ("delete from pos_quarantined_documents as document", "document.reason = :hidden"),
        ("update pos_quarantined_documents as document set resolved_at = now()", "true"),
    ):
        connection.execute(
            text(f"""
                {action}
                where {condition} and document.stage = 'normalise' and document.resolved_at is null
                    and exists (
                        select from pos_touched_documents as touched
                        where touched.id <= :touches
                            and touched.configuration_id = document.configuration_id
                            and (touched.external_id is null or touched.external_id = document.external_id)
                    )
            """),
            parameters,
        )


_ASIDE = (
    f"""
    update pos_quarantined_documents set resolved_at = now()
    where stage = 'model' and resolved_at is null and (configuration_id, external_id) in {_TOUCHED}
    """,
    f"""
    insert into pos_quarantined_documents
        (tenant_id, configuration_id, pos_system, stream, external_id, content_hash, stage, reason)
    select tenant_id, configuration_id, pos_system, stream, external_id, content_hash, 'model', min(reason)
    from pos_work.{models.REJECTED_MODEL}
    group by 1, 2, 3, 4, 5, 6
    on conflict (configuration_id, stream, content_hash, stage)
    do update set last_seen_at = now(), resolved_at = null, reason = excluded.reason
    """,
    f"""
    update pos_waiting_documents set resolved_at = now()
    where stage = 'normalise' and resolved_at is null and (configuration_id, external_id) in {_TOUCHED}
    """,
    f"""
    insert into pos_waiting_documents
        (tenant_id, configuration_id, pos_system, stream, external_id, stage, reason)
    select distinct tenant_id, configuration_id, pos_system, stream, external_id, 'normalise', reason
    from pos_work.{models.WAITING_MODEL}
    on conflict (configuration_id, stream, external_id, stage)
    do update set last_seen_at = now(), resolved_at = null, reason = excluded.reason
    """,
)
