{{ config(materialized='view') }}

{% for pos in var('pos_systems') -%}
select '{{ pos }}' as pos_system, d.*
from {{ ref('stg_' ~ pos ~ '__rejected') }} as d
{% if not loop.last %}union all{% endif %}
{% endfor %}
