{#- The documents of a stream that may be looked at: of complete loads only (a load in progress or dead has no row with
    status 0), and not set aside by the normaliser because a statement failed on them.

    Args:
        pos: the point-of-sale system, as in the name of its raw schema.
        stream: the raw table.
    Returns: a query with the raw table's columns, for use in brackets. -#}
{% macro held_documents(pos, stream) -%}
    select d.*
    from {{ source('raw_' ~ pos, stream) }} as d
    where
        exists (
            select 1 from {{ source('raw_' ~ pos, '_dlt_loads') }} as l
            where l.load_id = d._dlt_load_id and l.status = 0
        )
        and not exists (
            select 1 from {{ source('pos', 'pos_quarantined_documents') }} as q
            where
                q.stage = 'normalise' and q.resolved_at is null
                and q.pos_system = '{{ pos }}' and q.stream = '{{ stream }}'
                and q.configuration_id::text = d.configuration_id
                and q.external_id = d.external_id and q.content_hash = d.content_hash
        )
{%- endmacro %}


{#- The loads of a system that are complete and not normalised yet: the batch's. -#}
{% macro pending_loads(pos) -%}
    select p.load_id
    from {{ source('pos', 'pos_pending_loads') }} as p
    inner join {{ source('raw_' ~ pos, '_dlt_loads') }} as l on l.load_id = p.load_id and l.status = 0
    where p.pos_system = '{{ pos }}'
{%- endmacro %}


{#- Order of the versions of one document, the one that counts first: greater vendor version, greater vendor update
    time, later reading, greater content hash. What follows only decides between copies of one and the same content.

    Args:
        a: alias of the row, with the raw table's columns. -#}
{% macro newest_first(a) -%}
    {{ a }}.external_version desc nulls last, {{ a }}.external_updated_at desc nulls last,
    {{ a }}.read_at desc nulls last, {{ a }}.content_hash desc, {{ a }}.received_at, {{ a }}.source
{%- endmacro %}
