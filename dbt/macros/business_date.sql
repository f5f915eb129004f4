{#- The trading day of an instant: the local calendar day in the zone, cut at the time the day starts. The cut is made on
    the wall clock, so a night in which the clocks change has one cut like every other. -#}
{% macro business_date(instant, timezone, day_starts_at) -%}
    (({{ instant }} at time zone {{ timezone }}) - ({{ day_starts_at }} - time '00:00'))::date
{%- endmacro %}
