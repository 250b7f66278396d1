{#- A number as people write it: no trailing zeros. -#}
{% macro plain_number(figure) -%}
    rtrim(rtrim(cast(cast({{ figure }} as decimal(18, 6)) as varchar), '0'), '.')
{%- endmacro %}

{#- part / whole in percent with 2 decimals, cut toward zero: a rate under an edge never reads as the edge. -#}
{% macro percent(part, whole) -%}
    cast(cast(
        case
            when {{ is_short(part) }} and {{ is_short(whole) }}
                then {{ whole_quotient("(" ~ short_micros(part) ~ " * 10000)", short_micros(whole)) }}
            else {{ whole_quotient("(" ~ micros(part) ~ " * 10000)", micros(whole)) }}
        end * cast(0.01 as decimal(3, 2)) as decimal(18, 2)
    ) as varchar)
{%- endmacro %}

{#-
  The template with its {placeholders} replaced. values: placeholder -> text expression, worked out only where the template
  asks for it.
-#}
{% macro fill_template(template, values) -%}
    {%- set filled = namespace(sql=template) -%}
    {%- for placeholder, expression in values.items() -%}
        {%- set mark = "'{" ~ placeholder ~ "}'" -%}
        {%- set value = "case when contains(" ~ template ~ ", " ~ mark ~ ") then " ~ expression ~ " end" -%}
        {%- set filled.sql = "replace(" ~ filled.sql ~ ", " ~ mark ~ ", coalesce(" ~ value ~ ", ''))" -%}
    {%- endfor -%}
    {{ filled.sql }}
{%- endmacro %}

{#-
  The sentence '<local> / <en>' of an award. values: placeholder -> text expression; local and en: those that differ by
  language. Null without a template in policy.
-#}
{% macro sentence(template_local, template_en, values, local={}, en={}) -%}
    {{ fill_template(template_local, dict(values, **local)) }}
    || ' / '
    || {{ fill_template(template_en, dict(values, **en)) }}
{%- endmacro %}
