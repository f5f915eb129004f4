{{ config(
    materialized='table',
    indexes=[{'columns': ['configuration_id', 'external_id']}],
    post_hook='analyze {{ this }}'
) }}

{% for pos in var('pos_systems') -%}
select '{{ pos }}' as pos_system, t.configuration_id, t.external_id
from {{ ref('stg_' ~ pos ~ '__touched') }} as t
{% if not loop.last %}union all{% endif %}
{% endfor %}
