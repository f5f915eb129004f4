-- Materialized, so that the text of a document is parsed once.
with documents as materialized (
    select t.configuration_id, t.external_id as external_order_id, d.*, d.payload::jsonb as document
    from {{ ref('int_documents_touched') }} as t
    inner join (
        select
            configuration_id as held_configuration_id, tenant_id::uuid as tenant_id, external_id as refund_id, payload,
            external_version, external_updated_at, read_at, content_hash, received_at, source
        from ({{ held_documents('square', 'refunds') }}) as h
    ) as d
        on d.held_configuration_id = t.configuration_id::text and d.payload ->> 'order_id' = t.external_id
    where t.pos_system = 'square'
)

select
    d.*,
    case
        when
            jsonb_typeof(d.document #> '{amount_money,amount}') is distinct from 'number'
            or d.document #>> '{amount_money,amount}' !~ '^\d{1,13}$'
            then 'amount_money is not an amount in whole minor units'
        when d.document ->> 'created_at' is not null and not {{ is_instant("(d.document ->> 'created_at')") }}
            then 'created_at is not a time: ' || {{ excerpt("d.document ->> 'created_at'") }}
    end as reject_reason
from documents as d
