{#- What one smallest unit of a currency is worth in major units, exactly: 0.01 for most, 1 for those without a
    smaller unit, 0.001 and 0.0001 for the others.

    Source: ISO 4217, list one, column "minor unit". -#}
{% macro minor_unit(currency) -%}
    case
        when {{ currency }} in (
            'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV',
            'XAF', 'XOF', 'XPF'
        ) then 1::numeric
        when {{ currency }} in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 0.001
        when {{ currency }} in ('CLF', 'UYW') then 0.0001
        else 0.01
    end
{%- endmacro %}


{#- The integer of a money object `{amount, currency}`, in the currency's smallest unit; null when there is none.

    Args:
        parent: JSON value that has the object.
        key: its key, or a path of keys with dots. -#}
{% macro minor(parent, key) -%}
    ({{ parent }} #>> '{{ '{' ~ key | replace('.', ',') ~ ',amount}' }}')::numeric
{%- endmacro %}


{#- Primary keys that are the same on every machine: md5 of two texts with a colon between, as uuid. -#}
{% macro row_id(parent, id) -%}
    md5({{ parent }}::text || ':' || {{ id }})::uuid
{%- endmacro %}


{#- The amount in major units that a JSON number holds, to the six places that the marts keep, so that sums of amounts
    stay exact however many places a vendor's floating-point numbers have; null when there is none.

    Args:
        parent: JSON value that has the number.
        key: its key, or a path of keys with dots. -#}
{% macro major(parent, key) -%}
    trim_scale(round(({{ parent }} #>> '{{ '{' ~ key | replace('.', ',') ~ '}' }}')::numeric, 6))
{%- endmacro %}
