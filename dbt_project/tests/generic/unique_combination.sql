{#- The columns together are a key (null counts as a value). Of a carried table, stale names the period's columns. -#}
{% test unique_combination(model, columns, stale=none) %}
select {{ columns | join(', ') }}, count(*) as occurrences
from {{ stale_rows(model, stale) if stale else model }} as model
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
