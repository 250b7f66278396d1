{#- Policy keeps short lists as words with a space between them. -#}

{#- From-clause item: one row per word of the list. -#}
{% macro each_word(list, alias, column) -%}
    unnest(string_split({{ list }}, ' ')) as {{ alias }} ({{ column }})
{%- endmacro %}

{% macro has_word(list, word) -%}
    (position(' ' || {{ word }} || ' ' in ' ' || {{ list }} || ' ') > 0)
{%- endmacro %}
