{#- Months as whole numbers, so that neighbours differ by 1: year * 12 + month - 1. -#}
{% macro month_no(day) -%}
    cast(extract(year from {{ day }}) * 12 + extract(month from {{ day }}) - 1 as integer)
{%- endmacro %}

{#- Number of the month with an offset (1 = January) in a year. -#}
{% macro month_no_at(year, month_offset) -%}
    ({{ year }} * 12 + {{ month_offset }} - 1)
{%- endmacro %}

{#- First day of a numbered month. -#}
{% macro month_start(number) -%}
    make_date({{ number }} // 12, {{ number }} % 12 + 1, 1)
{%- endmacro %}

{#- 'YYYYH1' and 2021 give '2021H1'. Greedy: of 'FYYYYY' the last four letters are the year. -#}
{% macro period_label(label, year) -%}
    regexp_replace({{ label }}, '^(.*)YYYY', '\1' || {{ year }})
{%- endmacro %}
