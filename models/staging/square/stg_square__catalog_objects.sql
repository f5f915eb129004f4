{{ config(
    materialized='incremental',
    incremental_strategy='replace_batch',
    unlogged=false,
    on_schema_change='fail',
    indexes=[
        {'columns': ['configuration_id', 'object_type', 'object_id']},
        {'columns': ['configuration_id', 'object_type', 'parent_id']},
        {'columns': ['load_id']},
    ],
    meta={'batch_delete': "load_id in (select load_id from public.pos_pending_loads where pos_system = 'square')"}
) }}

with documents as materialized (
    select d.*, d.payload::jsonb as document
    from ({{ held_documents('square', 'catalog') }}) as d
    {%- if not (whole_history() or held_relation('pos_work', 'stg_square__catalog_objects') is none) %}
    where d._dlt_load_id in ({{ pending_loads('square') }})
    {%- endif %}
),

objects as (
    select
        d.configuration_id, 'item' as object_type, d.document ->> 'id' as object_id,
        d.document -> 'version' as version,
        coalesce(
            d.document #>> '{item_data,reporting_category,id}',
            d.document #>> '{item_data,categories,0,id}',
            d.document #>> '{item_data,category_id}'
        ) as parent_id,
        d.document #>> '{item_data,name}' as label,
        d.external_version, d.external_updated_at, d.read_at, d.content_hash, d._dlt_load_id
    from documents as d
    where d.document ->> 'type' = 'ITEM' and jsonb_typeof(d.document -> 'item_data') = 'object'

    union all

    select
        d.configuration_id, 'variation', v.value ->> 'id', coalesce(v.value -> 'version', d.document -> 'version'),
        coalesce(v.value #>> '{item_variation_data,item_id}', d.document ->> 'id'),
        v.value #>> '{item_variation_data,sku}',
        null::bigint, d.external_updated_at, d.read_at, d.content_hash, d._dlt_load_id
    from documents as d
    cross join lateral {{ elements("d.document #> '{item_data,variations}'") }} as v (value)
    where d.document ->> 'type' = 'ITEM' and jsonb_typeof(v.value -> 'item_variation_data') = 'object'

    union all

    select
        d.configuration_id, 'variation', d.document ->> 'id', d.document -> 'version',
        d.document #>> '{item_variation_data,item_id}', d.document #>> '{item_variation_data,sku}',
        d.external_version, d.external_updated_at, d.read_at, d.content_hash, d._dlt_load_id
    from documents as d
    where
        d.document ->> 'type' = 'ITEM_VARIATION'
        and jsonb_typeof(d.document -> 'item_variation_data') = 'object'

    union all

    select
        d.configuration_id, 'category', d.document ->> 'id', d.document -> 'version',
        null, d.document #>> '{category_data,name}',
        d.external_version, d.external_updated_at, d.read_at, d.content_hash, d._dlt_load_id
    from documents as d
    where d.document ->> 'type' = 'CATEGORY' and jsonb_typeof(d.document -> 'category_data') = 'object'
)

select
    configuration_id::uuid as configuration_id,
    object_type, object_id,
    -- An object without a version of its own counts as the oldest there can be.
    coalesce({{ whole_number('version') }}, external_version, 0) as version,
    case when length(parent_id) < 192 then parent_id end as parent_id,
    nullif(label, '') as label,
    external_updated_at, read_at, content_hash,
    _dlt_load_id as load_id
from objects
where length(object_id) < 192
