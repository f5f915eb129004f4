{#- Rows of a JSON array; no rows when it is absent, null or no array, so that a statement cannot fail on it. -#}
{% macro elements(array) -%}
    jsonb_array_elements(case when jsonb_typeof({{ array }}) = 'array' then {{ array }} else '[]'::jsonb end)
{%- endmacro %}


{#- True when a text is an instant as RFC 3339 writes it: with a date, a time and an offset, and one that exists. The
    pattern comes first because PostgreSQL also reads words such as `now` and `infinity` as instants. -#}
{% macro is_instant(text) -%}
    coalesce(
        ({{ text }}) ~ '^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,18})?([Zz]|[+-]\d\d:?\d\d)$'
        and pg_input_is_valid(({{ text }}), 'timestamp with time zone'),
        false
    )
{%- endmacro %}


{#- The instant that a text holds, else null. -#}
{% macro instant(text) -%}
    case when {{ is_instant(text) }} then ({{ text }})::timestamptz end
{%- endmacro %}


{#- True when a text is a quantity that numeric(18,6) can hold. -#}
{% macro is_quantity(text) -%}
    coalesce(({{ text }}) ~ '^-?\d{1,12}(\.\d{1,30})?$' and pg_input_is_valid(({{ text }}), 'numeric(18,6)'), false)
{%- endmacro %}


{#- The quantity that a text holds, else null. -#}
{% macro quantity(text) -%}
    case when {{ is_quantity(text) }} then ({{ text }})::numeric(18, 6) end
{%- endmacro %}


{#- The whole number that a JSON value holds, else null. -#}
{% macro whole_number(value) -%}
    case when ({{ value }}) #>> '{}' ~ '^-?\d{1,18}$' then (({{ value }}) #>> '{}')::bigint end
{%- endmacro %}


{#- True when a text names a time zone of the IANA database, as this server has it. `at time zone` fails on any other
    text, and pg_timezone_names reads every zone file for each look; reading a date in the zone costs nothing. -#}
{% macro is_time_zone(text) -%}
    coalesce(
        ({{ text }}) ~ '^(UTC|GMT|[A-Za-z_]{2,32}(/[A-Za-z0-9_+-]{1,32}){1,2})$'
        and pg_input_is_valid('2020-01-01 00:00:00 ' || ({{ text }}), 'timestamp with time zone'),
        false
    )
{%- endmacro %}


{#- The beginning of a text from outside in one line, fit for a reason. -#}
{% macro excerpt(text) -%}
    regexp_replace(left({{ text }}, 60), '\s+', ' ', 'g')
{%- endmacro %}
