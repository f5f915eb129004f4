{#- The documents of a stream that are to be normalised again: those that are named, and all of a configuration of
    which none is named. The offsets keep both look-ups by the index, so that neither the length of the list nor that
    of the log multiplies the other.

    Args:
        pos: the point-of-sale system, as in the name of its raw schema.
        stream: the raw table of its sales. -#}
{% macro requested_documents(pos, stream) -%}
select t.configuration_id, d.external_id
from {{ source('pos', 'pos_touched_documents') }} as t
cross join lateral (
    select o.external_id
    from {{ source('raw_' ~ pos, stream) }} as o
    where o.configuration_id = t.configuration_id::text and o.external_id = t.external_id
    offset 0
) as d

union

select t.configuration_id, d.external_id
from (
    select distinct configuration_id from {{ source('pos', 'pos_touched_documents') }} where external_id is null
) as t
cross join lateral (
    select o.external_id
    from {{ source('raw_' ~ pos, stream) }} as o
    where o.configuration_id = t.configuration_id::text
    offset 0
) as d
{%- endmacro %}
