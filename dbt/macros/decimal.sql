{#- True when a text is a decimal number that money is written as, within bounds that leave room for sums. -#}
{% macro is_decimal(text) -%}
    coalesce(({{ text }}) ~ '^\s*-?\d{1,13}(\.\d{1,30})?\s*$', false)
{%- endmacro %}


{#- The decimal that a text holds, to the six places that amounts have; null when it holds none.

    Each value is cut to six places when it is read, so that sums of values are exact. -#}
{% macro decimal(text) -%}
    case when {{ is_decimal(text) }} then round(({{ text }})::numeric, 6) end
{%- endmacro %}
