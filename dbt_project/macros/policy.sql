{#- Condition: the policy row (columns valid_from_on, valid_to_on) is in force for the period (column starts_on). -#}
{% macro in_force(rule, period) -%}
    {{ rule }}.valid_from_on <= {{ period }}.starts_on
    and ({{ rule }}.valid_to_on is null or {{ period }}.starts_on <= {{ rule }}.valid_to_on)
{%- endmacro %}
